import ByteCoding
import KeyValue
import Synchronization

/// A memory store that counts what it is asked for, and fails when told to.
final class SpyStore: StateStore {
    struct Counts: Equatable {
        var reads = 0
        var commits = 0
    }

    private let memory = MemoryStateStore()
    private let counts = Mutex(Counts())
    private let failing = Mutex<(read: StateStoreError?, commit: StateStoreError?)>((nil, nil))

    var seen: Counts { counts.withLock { $0 } }
    func failReads(_ error: StateStoreError) { failing.withLock { $0.read = error } }
    func failCommits(_ error: StateStoreError) { failing.withLock { $0.commit = error } }

    func makeBatch() -> MemoryStateBatch { memory.makeBatch() }

    func commit(_ batch: MemoryStateBatch) throws(StateStoreError) {
        counts.withLock { $0.commits += 1 }
        if let error = failing.withLock({ $0.commit }) { throw error }
        try memory.commit(batch)
    }

    func withSnapshot<R>(_ body: (any StateReader) throws(StateStoreError) -> R) throws(StateStoreError) -> R {
        try memory.withSnapshot(body)
    }

    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        counts.withLock { $0.reads += 1 }
        if let error = failing.withLock({ $0.read }) { throw error }
        return try memory.read(key, tier: tier, body)
    }

    func scan(
        from lower: Bytes, to upper: Bytes, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        try memory.scan(from: lower, to: upper, body)
    }
}

/// Says that every key holds a value of `count` bytes, without having so many: only its header is ever touched.
struct HugeValueStore: StateStore {
    let count: Int

    func makeBatch() -> MemoryStateBatch { MemoryStateStore().makeBatch() }
    func commit(_ batch: MemoryStateBatch) throws(StateStoreError) {}

    func withSnapshot<R>(_ body: (any StateReader) throws(StateStoreError) -> R) throws(StateStoreError) -> R {
        try body(self)
    }

    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        let header = ValueHeader(version: Version(index: 1, ordinal: 0))
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: header.byteCount + count, alignment: 1)
        defer { memory.deallocate() }
        header.withBytes { UnsafeMutableRawBufferPointer(rebasing: memory[..<$0.count]).copyMemory(from: $0) }
        return body(UnsafeRawBufferPointer(memory))
    }

    func scan(
        from lower: Bytes, to upper: Bytes, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {}
}
