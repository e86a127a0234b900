package import ByteCoding
package import KeyValue

/// A node's state, whichever engine keeps it.
package enum NodeState: StateStore {
    case rocksdb(RocksState)
    case memory(MemoryStateStore)

    /// A state that RocksDB keeps; only `NodeStore` makes one.
    package struct RocksState: Sendable {
        let store: RocksStateStore
    }

    package func makeBatch() -> NodeStateBatch {
        switch self {
        case .rocksdb(let state): NodeStateBatch(.rocksdb(state.store.makeBatch()))
        case .memory(let store): NodeStateBatch(.memory(store.makeBatch()))
        }
    }

    package func commit(_ batch: NodeStateBatch) throws(StateStoreError) {
        switch (self, batch.content) {
        case (.rocksdb(let state), .rocksdb(let batch)): try state.store.commit(batch)
        case (.memory(let store), .memory(let batch)): try store.commit(batch)
        case (.rocksdb, .memory), (.memory, .rocksdb): preconditionFailure("the batch is of another engine")
        }
    }

    package func withSnapshot<R>(
        _ body: (any StateReader) throws(StateStoreError) -> R
    ) throws(StateStoreError) -> R {
        switch self {
        case .rocksdb(let state): try state.store.withSnapshot(body)
        case .memory(let store): try store.withSnapshot(body)
        }
    }

    package func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        switch self {
        case .rocksdb(let state): try state.store.read(key, tier: tier, body)
        case .memory(let store): try store.read(key, tier: tier, body)
        }
    }

    package func scan(
        from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        switch self {
        case .rocksdb(let state): try state.store.scan(from: lower, to: upper, body)
        case .memory(let store): try store.scan(from: lower, to: upper, body)
        }
    }
}

/// A batch for a `NodeState`. Owned by one thread.
package final class NodeStateBatch: StateBatch {
    enum Content {
        case rocksdb(RocksStateBatch)
        case memory(MemoryStateStore.Batch)
    }

    let content: Content

    init(_ content: Content) { self.content = content }

    package var isEmpty: Bool {
        switch content {
        case .rocksdb(let batch): batch.isEmpty
        case .memory(let batch): batch.isEmpty
        }
    }

    package func put(_ key: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        switch content {
        case .rocksdb(let batch): batch.put(key, header: header, value: value)
        case .memory(let batch): batch.put(key, header: header, value: value)
        }
    }

    package func delete(_ key: UnsafeRawBufferPointer) {
        switch content {
        case .rocksdb(let batch): batch.delete(key)
        case .memory(let batch): batch.delete(key)
        }
    }

    package func deleteRange(from lower: Bytes, to upper: Bytes) {
        switch content {
        case .rocksdb(let batch): batch.deleteRange(from: lower, to: upper)
        case .memory(let batch): batch.deleteRange(from: lower, to: upper)
        }
    }
}
