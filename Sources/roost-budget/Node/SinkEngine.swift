import ByteCoding
import RaftStorage
import Synchronization

/// An engine in memory that, once told so, takes writes and keeps nothing of them: what is counted is Roost's way to an
/// engine, and no engine.
final class SinkEngine: StorageEngine {
    private let memory = MemoryEngine()
    private let keepsWrites = Atomic<Bool>(true)

    /// From now on writes leave nothing.
    func stopKeeping() { keepsWrites.store(false, ordering: .relaxed) }

    var familyNames: [FamilyName] { memory.familyNames }
    func family(_ name: FamilyName) -> FamilyName? { memory.family(name) }
    func create(_ name: FamilyName) throws(EngineError) -> FamilyName { try memory.create(name) }
    func drop(_ family: FamilyName) throws(EngineError) { try memory.drop(family) }
    func release(_ family: FamilyName) { memory.release(family) }

    func read<R>(
        _ key: UnsafeRawBufferPointer, in family: FamilyName, at moment: MemoryEngine.Moment?, tier: EngineTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(EngineError) -> R { try memory.read(key, in: family, at: moment, tier: tier, body) }

    func scan(
        from lower: Bytes, to upper: Bytes?, in family: FamilyName, at moment: MemoryEngine.Moment?, isLong: Bool,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(EngineError) {
        try memory.scan(from: lower, to: upper, in: family, at: moment, isLong: isLong, body)
    }

    func moment() -> MemoryEngine.Moment { memory.moment() }

    func makeBatch() -> SinkBatch { SinkBatch(keepsChanges: { [self] in keepsWrites.load(ordering: .relaxed) }) }

    func write(_ batch: SinkBatch, _ durability: Durability) throws(EngineError) {
        if keepsWrites.load(ordering: .relaxed) { try memory.write(batch.kept, durability) }
        batch.clear()
    }

    func flush(_ family: FamilyName) throws(EngineError) {}

    func makeLoader(into family: FamilyName) throws(EngineError) -> any FamilyLoader {
        try memory.makeLoader(into: family)
    }

    func close() throws(EngineError) {}
    func abandon() {}
}

/// Changes that are counted, and kept as long as the engine keeps them. Owned by one thread.
final class SinkBatch: EngineBatch {
    let kept = RecordedBatch()
    private let keepsChanges: () -> Bool
    private var changes = 0

    init(keepsChanges: @escaping () -> Bool) { self.keepsChanges = keepsChanges }

    var isEmpty: Bool { changes == 0 }

    func put(
        _ key: UnsafeRawBufferPointer, head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer,
        tail: UnsafeRawBufferPointer, in family: FamilyName
    ) {
        changes += 1
        if keepsChanges() { kept.put(key, head: head, body: body, tail: tail, in: family) }
    }

    func delete(_ key: UnsafeRawBufferPointer, in family: FamilyName) {
        changes += 1
        if keepsChanges() { kept.delete(key, in: family) }
    }

    func deleteRange(from lower: Bytes, to upper: Bytes, in family: FamilyName) {
        changes += 1
        if keepsChanges() { kept.deleteRange(from: lower, to: upper, in: family) }
    }

    func clear() { changes = 0 }
}
