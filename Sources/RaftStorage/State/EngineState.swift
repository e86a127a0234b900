import ByteCoding
import KeyValue

/// The state in a family of its own of any engine, written `.volatile`: what the log holds is never logged a second
/// time. After a crash the state is that of some earlier moment, and says so itself by its applied record.
///
/// Installing a snapshot exchanges the family; who reads meanwhile reads the old one to the end.
final class EngineState<Engine: StorageEngine>: StateStore {
    let engine: Engine
    let gate: GenerationGate<Engine.Family>

    init(engine: Engine, generation: UInt64, family: Engine.Family) {
        self.engine = engine
        gate = GenerationGate(number: generation, family: family)
    }

    func makeBatch() -> EngineStateBatch<Engine> { EngineStateBatch(self) }

    func commit(_ batch: EngineStateBatch<Engine>) throws(StateStoreError) {
        try batch.checkGeneration()
        try state { () throws(EngineError) in try engine.write(batch.changes, .volatile) }
        batch.wasCommitted()
    }

    func withSnapshot<R>(_ body: (any StateReader) throws(StateStoreError) -> R) throws(StateStoreError) -> R {
        try gate.withCurrent { (family) throws(StateStoreError) in
            try body(EngineStateReader(engine: engine, family: family, moment: engine.moment()))
        }
    }

    @inline(__always)
    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        try gate.withCurrent { (family) throws(StateStoreError) in
            try EngineStateReader(engine: engine, family: family, moment: nil).read(key, tier: tier, body)
        }
    }

    func scan(
        from lower: Bytes, to upper: Bytes, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        try gate.withCurrent { (family) throws(StateStoreError) in
            try EngineStateReader(engine: engine, family: family, moment: nil).scan(from: lower, to: upper, body)
        }
    }
}

extension EngineState<RocksEngine> {
    /// `read` of the present without a result.
    func withValue(
        of key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(StateStoreError) {
        try gate.withCurrent { (family) throws(StateStoreError) in
            try state { () throws(EngineError) in try engine.withValue(of: key, in: family, tier: tier, body) }
        }
    }
}

/// Reads of the present, or of one moment, of a generation.
struct EngineStateReader<Engine: StorageEngine>: StateReader {
    let engine: Engine
    let family: Engine.Family
    let moment: Engine.Moment?

    @inline(__always)
    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        let tier: EngineTier =
            switch tier {
            case .memory: .memory
            case .all: .all
            }
        return try state { () throws(EngineError) in
            try engine.read(key, in: family, at: moment, tier: tier, body)
        }
    }

    func scan(
        from lower: Bytes, to upper: Bytes, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        try state { () throws(EngineError) in
            try engine.scan(from: lower, to: upper, in: family, at: moment, isLong: false, body)
        }
    }
}

/// Changes that become visible together. Owned by one thread, the one that also installs snapshots or runs in turn with
/// it.
final class EngineStateBatch<Engine: StorageEngine>: StateBatch {
    private let store: EngineState<Engine>
    let changes: Engine.Batch
    /// Where the changes go; found anew for each batch, since a snapshot may have been installed since the last.
    private var generation: GenerationGate<Engine.Family>.Generation?

    init(_ store: EngineState<Engine>) {
        self.store = store
        changes = store.engine.makeBatch()
    }

    var isEmpty: Bool { changes.isEmpty }

    func put(_ key: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if Failpoint.statePut.reachToAlter(when: Self.isUserKey(key) && !value.isEmpty) {
            return putAltered(key, header, value)
        }
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        changes.put(key, head: header, body: value, tail: nothing, in: family())
    }

    /// What a replica that has gone astray would put: the last bit of the value is another one.
    private func putAltered(
        _ key: UnsafeRawBufferPointer, _ header: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) {
        let head = UnsafeRawBufferPointer(rebasing: value.dropLast())
        withUnsafeBytes(of: value[value.count - 1] ^ 1) {
            changes.put(key, head: header, body: head, tail: $0, in: family())
        }
    }

    private static func isUserKey(_ key: UnsafeRawBufferPointer) -> Bool {
        guard key.count >= StateKey.userPrefixBytes else { return false }
        let group = UInt64(bigEndian: key.loadUnaligned(as: UInt64.self))
        let lower = StateKey.userRange(group: group).lower
        return lower.withUnsafeBytes { key.prefix($0.count).elementsEqual($0) }
    }

    func delete(_ key: UnsafeRawBufferPointer) { changes.delete(key, in: family()) }

    func deleteRange(from lower: Bytes, to upper: Bytes) { changes.deleteRange(from: lower, to: upper, in: family()) }

    /// - Throws: `.other` for changes that were begun before a snapshot was installed: they are not of this state.
    func checkGeneration() throws(StateStoreError) {
        guard let generation, generation.number != store.gate.current.number else { return }
        throw StateStoreError(
            .other,
            "a batch of the state's generation \(generation.number) came after generation "
                + "\(store.gate.current.number) had been installed")
    }

    func wasCommitted() { generation = nil }

    private func family() -> Engine.Family {
        if let generation { return generation.family }
        let current = store.gate.current
        generation = current
        return current.family
    }
}
