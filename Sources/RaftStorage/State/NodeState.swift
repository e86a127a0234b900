package import ByteCoding
package import KeyValue

/// A node's state, whichever engine keeps it. RocksDB's has a case of its own, so that nothing of its path is looked up
/// at run time.
package enum NodeState: StateStore {
    case rocksdb(RocksState)
    case other(OtherState)

    /// A state that RocksDB keeps; only `NodeStore` makes one.
    package struct RocksState: Sendable {
        let store: EngineState<RocksEngine>
    }

    /// A state of any engine; only `NodeStore` makes one.
    package struct OtherState: Sendable {
        let store: any StateStore
    }

    init<Engine: StorageEngine>(_ store: EngineState<Engine>) {
        if let store = store as? EngineState<RocksEngine> {
            self = .rocksdb(RocksState(store: store))
        } else {
            self = .other(OtherState(store: store))
        }
    }

    package func makeBatch() -> NodeStateBatch {
        switch self {
        case .rocksdb(let state): NodeStateBatch(.rocksdb(state.store.makeBatch()))
        case .other(let state): NodeStateBatch(.other(state.store.makeAnyBatch()))
        }
    }

    package func commit(_ batch: NodeStateBatch) throws(StateStoreError) {
        switch (self, batch.content) {
        case (.rocksdb(let state), .rocksdb(let batch)): try state.store.commit(batch)
        case (.other(let state), .other(let batch)): try state.store.commit(any: batch)
        case (.rocksdb, .other), (.other, .rocksdb): preconditionFailure("the batch is of another engine")
        }
    }

    package func withSnapshot<R>(
        _ body: (any StateReader) throws(StateStoreError) -> R
    ) throws(StateStoreError) -> R {
        switch self {
        case .rocksdb(let state): try state.store.withSnapshot(body)
        case .other(let state): try state.store.withSnapshot(body)
        }
    }

    package func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        switch self {
        case .rocksdb(let state): try state.store.read(key, tier: tier, body)
        case .other(let state): try state.store.read(key, tier: tier, body)
        }
    }

    /// `read` without a result: nothing of it is generic, so that a GET looks up no types at run time.
    package func withValue(
        of key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(StateStoreError) {
        switch self {
        case .rocksdb(let state): try state.store.withValue(of: key, tier: tier, body)
        case .other(let state): try state.store.read(key, tier: tier, body)
        }
    }

    package func scan(
        from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        switch self {
        case .rocksdb(let state): try state.store.scan(from: lower, to: upper, body)
        case .other(let state): try state.store.scan(from: lower, to: upper, body)
        }
    }
}

extension StateStore {
    fileprivate func makeAnyBatch() -> any StateBatch { makeBatch() }

    fileprivate func commit(any batch: any StateBatch) throws(StateStoreError) {
        guard let batch = batch as? Batch else { preconditionFailure("the batch is of another engine") }
        try commit(batch)
    }
}

/// A batch for a `NodeState`. Owned by one thread.
package final class NodeStateBatch: StateBatch {
    enum Content {
        case rocksdb(EngineStateBatch<RocksEngine>)
        case other(any StateBatch)
    }

    let content: Content

    init(_ content: Content) { self.content = content }

    package var isEmpty: Bool {
        switch content {
        case .rocksdb(let batch): batch.isEmpty
        case .other(let batch): batch.isEmpty
        }
    }

    package func put(_ key: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        switch content {
        case .rocksdb(let batch): batch.put(key, header: header, value: value)
        case .other(let batch): batch.put(key, header: header, value: value)
        }
    }

    package func delete(_ key: UnsafeRawBufferPointer) {
        switch content {
        case .rocksdb(let batch): batch.delete(key)
        case .other(let batch): batch.delete(key)
        }
    }

    package func deleteRange(from lower: Bytes, to upper: Bytes) {
        switch content {
        case .rocksdb(let batch): batch.deleteRange(from: lower, to: upper)
        case .other(let batch): batch.deleteRange(from: lower, to: upper)
        }
    }
}
