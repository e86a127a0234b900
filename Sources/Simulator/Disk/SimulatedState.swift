import ByteCoding
import KeyValue

/// A state store over a tree whose versions are free: what a crash leaves is any version since the last flush.
///
/// `@unchecked Sendable`: belongs to the one thread of its world.
final class SimulatedState: StateStore, @unchecked Sendable {
    private(set) var tree: OrderedTree

    init(tree: OrderedTree = OrderedTree()) { self.tree = tree }

    /// Becomes another state as a whole.
    func replace(_ tree: OrderedTree) { self.tree = tree }

    func makeBatch() -> SimulatedStateBatch { SimulatedStateBatch() }

    func commit(_ batch: SimulatedStateBatch) throws(StateStoreError) {
        for change in batch.takeChanges() {
            switch change {
            case .put(let key, let value): tree.put(key, value)
            case .delete(let key): tree.delete(key)
            case .deleteRange(let lower, let upper): tree.deleteRange(from: lower, to: upper)
            }
        }
    }

    func withSnapshot<R>(
        _ body: (any StateReader) throws(StateStoreError) -> R
    ) throws(StateStoreError) -> R {
        try body(SimulatedState(tree: tree))
    }

    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        guard let value = tree.value(of: key) else { return body(nil) }
        return value.withUnsafeBytes(body)
    }

    func scan(
        from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        tree.scan(from: lower, to: upper) { key, value in
            key.withUnsafeBytes { key in value.withUnsafeBytes { value in body(key, value) } }
        }
    }
}

final class SimulatedStateBatch: StateBatch {
    enum Change {
        case put(Bytes, Bytes)
        case delete(Bytes)
        case deleteRange(Bytes, Bytes)
    }

    private var changes: [Change] = []

    var isEmpty: Bool { changes.isEmpty }

    func put(_ key: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        var writer = ByteWriter(reservingCapacity: header.count + value.count)
        writer.append(header)
        writer.append(value)
        changes.append(.put(Bytes(copying: key), writer.take()))
    }

    func delete(_ key: UnsafeRawBufferPointer) { changes.append(.delete(Bytes(copying: key))) }

    func deleteRange(from lower: Bytes, to upper: Bytes) { changes.append(.deleteRange(lower, upper)) }

    func takeChanges() -> [Change] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }
}
