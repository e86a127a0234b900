package import ByteCoding
import Synchronization

/// A state that lives in memory only, for `--storage memory`, simulation and tests. Nothing survives the process.
///
/// Reads and snapshots take one short lock to fetch the current tree and then need none; they never see half a batch.
package final class MemoryStateStore: StateStore {
    /// Held while a batch is built into a new tree, so that two commits can't lose each other's changes.
    private let committing = Mutex(())
    private let current = Mutex(OrderedTree())

    package init() {}

    package func makeBatch() -> MemoryStateBatch { MemoryStateBatch() }

    package func commit(_ batch: MemoryStateBatch) throws(StateStoreError) {
        committing.withLock { _ in
            var tree = current.withLock { $0 }
            for change in batch.takeChanges() {
                switch change {
                case .put(let key, let value): tree.put(key, value)
                case .delete(let key): tree.delete(key)
                case .deleteRange(let lower, let upper): tree.deleteRange(from: lower, to: upper)
                }
            }
            current.withLock { $0 = tree }
        }
    }

    package func withSnapshot<R>(
        _ body: (any StateReader) throws(StateStoreError) -> R
    ) throws(StateStoreError) -> R {
        try body(MemorySnapshot(tree: current.withLock { $0 }))
    }

    package func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        try MemorySnapshot(tree: current.withLock { $0 }).read(key, tier: tier, body)
    }

    package func scan(
        from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        try MemorySnapshot(tree: current.withLock { $0 }).scan(from: lower, to: upper, body)
    }
}

/// One moment of a `MemoryStateStore`.
private struct MemorySnapshot: StateReader {
    let tree: OrderedTree

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
            key.withUnsafeBytes { key in value.withUnsafeBytes { body(key, $0) } }
        }
    }
}

/// Changes in the order in which they were asked for.
package final class MemoryStateBatch: StateBatch {
    fileprivate enum Change {
        case put(Bytes, Bytes)
        case delete(Bytes)
        case deleteRange(Bytes, Bytes)
    }

    private var changes: [Change] = []

    fileprivate init() {}

    package var isEmpty: Bool { changes.isEmpty }

    package func put(_ key: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        var writer = ByteWriter(reservingCapacity: header.count + value.count)
        writer.append(header)
        writer.append(value)
        changes.append(.put(Bytes(copying: key), writer.take()))
    }

    package func delete(_ key: UnsafeRawBufferPointer) { changes.append(.delete(Bytes(copying: key))) }

    package func deleteRange(from lower: Bytes, to upper: Bytes) { changes.append(.deleteRange(lower, upper)) }

    fileprivate func takeChanges() -> [Change] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }
}
