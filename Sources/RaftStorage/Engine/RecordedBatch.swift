package import ByteCoding

/// A batch that keeps its changes as values, for engines that have no form of their own.
package final class RecordedBatch: EngineBatch {
    package enum Change: Hashable, Sendable {
        case put(FamilyName, key: Bytes, value: Bytes)
        case delete(FamilyName, key: Bytes)
        /// Removes `lower <= key < upper`.
        case deleteRange(FamilyName, lower: Bytes, upper: Bytes)

        package var family: FamilyName {
            switch self {
            case .put(let family, _, _), .delete(let family, _), .deleteRange(let family, _, _): family
            }
        }
    }

    /// In the order in which they take effect.
    package private(set) var changes: [Change] = []

    package init() {}

    package var isEmpty: Bool { changes.isEmpty }

    package func put(
        _ key: UnsafeRawBufferPointer, head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer,
        tail: UnsafeRawBufferPointer, in family: FamilyName
    ) {
        var value = ByteWriter(reservingCapacity: head.count + body.count + tail.count)
        value.append(head)
        value.append(body)
        value.append(tail)
        changes.append(.put(family, key: Bytes(copying: key), value: value.take()))
    }

    package func delete(_ key: UnsafeRawBufferPointer, in family: FamilyName) {
        changes.append(.delete(family, key: Bytes(copying: key)))
    }

    package func deleteRange(from lower: Bytes, to upper: Bytes, in family: FamilyName) {
        changes.append(.deleteRange(family, lower: lower, upper: upper))
    }

    /// Hands the changes over and leaves the batch empty, with its memory.
    package func takeChanges() -> [Change] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }
}
