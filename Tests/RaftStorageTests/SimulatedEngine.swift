import ByteCoding
import KeyValue
import Synchronization

@testable import RaftStorage

/// An engine whose disk can be looked at as a crash would leave it, and which can be made to fail at any step.
///
/// It keeps apart what `StorageEngine` tells apart: what is durable, what was written in order behind it, and what only
/// memory holds of each family.
final class SimulatedEngine: StorageEngine {
    struct Disk: Sendable {
        var durable: [FamilyName: OrderedTree] = [:]
        /// Batches written `.ordered` since the last `.synced` one.
        var ordered: [[RecordedBatch.Change]] = []
        /// Batches written `.volatile` since the last flush of the family.
        var volatile: [FamilyName: [[RecordedBatch.Change]]] = [:]

        mutating func carryOut(_ changes: [RecordedBatch.Change]) {
            for change in changes { durable[change.family]?.apply(change) }
        }

        mutating func settleOrdered() {
            for changes in ordered { carryOut(changes) }
            ordered = []
        }

        mutating func settleVolatile(_ family: FamilyName, _ count: Int = .max) {
            for changes in volatile[family, default: []].prefix(count) { carryOut(changes) }
            volatile[family] = []
        }
    }

    let steps: Steps
    private let disk: Mutex<Disk>
    private let live = MemoryEngine()

    init(_ content: [FamilyName: OrderedTree] = [:], steps: Steps = Steps()) throws {
        self.steps = steps
        disk = Mutex(Disk(durable: content))
        for (name, tree) in content {
            _ = try live.create(name)
            let batch = live.makeBatch()
            tree.scan(from: Bytes(), to: Bytes([UInt8](repeating: 0xFF, count: 32))) { key, value in
                batch.put(key, value, in: name)
                return true
            }
            try live.write(batch, .synced)
        }
    }

    /// What a crash now may leave: with or without what was ordered, and so many of each family's volatile batches.
    func crashed(keepingOrdered: Bool, volatileBatches: Int) throws -> SimulatedEngine {
        var disk = disk.withLock { $0 }
        if keepingOrdered { disk.settleOrdered() }
        for family in disk.volatile.keys.sorted() { disk.settleVolatile(family, volatileBatches) }
        return try SimulatedEngine(disk.durable)
    }

    var familyNames: [FamilyName] { live.familyNames }
    func family(_ name: FamilyName) -> FamilyName? { live.family(name) }

    func create(_ name: FamilyName) throws(EngineError) -> FamilyName {
        try steps.take("create \(name)")
        disk.withLock { $0.durable[name] = OrderedTree() }
        return try live.create(name)
    }

    func drop(_ family: FamilyName) throws(EngineError) {
        try steps.take("drop \(family)")
        disk.withLock { disk in
            disk.durable[family] = nil
            disk.volatile[family] = nil
        }
        try live.drop(family)
    }

    /// In the order in which they were given free.
    let released = Mutex<[FamilyName]>([])

    func release(_ family: FamilyName) {
        released.withLock { $0.append(family) }
        live.release(family)
    }

    func read<R>(
        _ key: UnsafeRawBufferPointer, in family: FamilyName, at moment: MemoryEngine.Moment?, tier: EngineTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(EngineError) -> R {
        guard tier == .persisted else { return try live.read(key, in: family, at: moment, tier: tier, body) }
        let tree = disk.withLock { $0.durable[family] }
        guard let value = tree?.value(of: key) else { return body(nil) }
        return value.withUnsafeBytes(body)
    }

    func scan(
        from lower: Bytes, to upper: Bytes?, in family: FamilyName, at moment: MemoryEngine.Moment?, isLong: Bool,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(EngineError) {
        try live.scan(from: lower, to: upper, in: family, at: moment, isLong: isLong, body)
    }

    func moment() -> MemoryEngine.Moment { live.moment() }
    func makeBatch() -> RecordedBatch { RecordedBatch() }

    func write(_ batch: RecordedBatch, _ durability: Durability) throws(EngineError) {
        try steps.take("write \(durability)")
        let changes = batch.changes
        disk.withLock { disk in
            switch durability {
            case .synced:
                disk.settleOrdered()
                disk.carryOut(changes)
            case .ordered: disk.ordered.append(changes)
            case .volatile:
                guard let family = changes.first?.family else { return }
                disk.volatile[family, default: []].append(changes)
            }
        }
        try live.write(batch, durability)
    }

    func flush(_ family: FamilyName) throws(EngineError) {
        try steps.take("flush \(family)")
        disk.withLock { disk in
            disk.settleOrdered()
            disk.settleVolatile(family)
        }
    }

    func makeLoader(into family: FamilyName) throws(EngineError) -> any FamilyLoader {
        BatchLoader(self, into: family)
    }

    func close() throws(EngineError) {}
    func abandon() {}
}

/// Counts what is about to change a disk, tells an observer, and fails from a given step on.
final class Steps: Sendable {
    private struct State {
        var names: [String] = []
        var failing: Int?
        var observer: (@Sendable (String) -> Void)?
    }
    private let state = Mutex(State())

    /// The steps taken since `begin`, the failed one included.
    var names: [String] { state.withLock { $0.names } }

    /// Counts from here on; the step of number `failing` and all after it fail before they do anything.
    func begin(failing: Int? = nil, observer: (@Sendable (String) -> Void)? = nil) {
        state.withLock { $0 = State(failing: failing, observer: observer) }
    }

    func end() { state.withLock { $0 = State() } }

    func take(_ name: String) throws(EngineError) {
        let (isFailing, observer) = state.withLock { state in
            state.names.append(name)
            return (state.failing.map { state.names.count >= $0 } ?? false, state.observer)
        }
        if isFailing { throw EngineError(.io, "\(name): made to fail") }
        observer?(name)
    }
}

/// Files whose every change is a step.
struct SteppedFiles: SnapshotFiles {
    let base: any SnapshotFiles
    let steps: Steps

    private struct File: SnapshotFile {
        let base: any SnapshotFile
        let name: String
        let steps: Steps

        func byteCount() throws(StorageError) -> UInt64 { try base.byteCount() }
        func read(at offset: UInt64, count: Int) throws(StorageError) -> Bytes {
            try base.read(at: offset, count: count)
        }
        func append(_ bytes: Bytes) throws(StorageError) {
            try storage("files") { () throws(EngineError) in try steps.take("append") }
            try base.append(bytes)
        }
        func sync() throws(StorageError) {
            try storage("files") { () throws(EngineError) in try steps.take("sync a file") }
            try base.sync()
        }
    }

    private func step(_ name: String) throws(StorageError) {
        try storage("files") { () throws(EngineError) in try steps.take(name) }
    }

    func create(_ name: String) throws(StorageError) -> any SnapshotFile {
        try step("create a file")
        return File(base: try base.create(name), name: name, steps: steps)
    }

    func open(_ name: String) throws(StorageError) -> (any SnapshotFile)? {
        guard let file = try base.open(name) else { return nil }
        return File(base: file, name: name, steps: steps)
    }

    func rename(_ name: String, to newName: String) throws(StorageError) {
        try step("rename a file")
        try base.rename(name, to: newName)
    }

    func remove(_ name: String) throws(StorageError) {
        try step("remove a file")
        try base.remove(name)
    }

    func names(in folder: String) throws(StorageError) -> [String] { try base.names(in: folder) }
}

/// Another engine whose every change is a step.
final class SteppedEngine<Base: StorageEngine>: StorageEngine {
    typealias Family = Base.Family
    typealias Batch = Base.Batch
    typealias Moment = Base.Moment

    let base: Base
    let steps: Steps

    init(_ base: Base, _ steps: Steps) {
        self.base = base
        self.steps = steps
    }

    var familyNames: [FamilyName] { base.familyNames }
    func family(_ name: FamilyName) -> Family? { base.family(name) }
    func create(_ name: FamilyName) throws(EngineError) -> Family {
        try steps.take("create \(name)")
        return try base.create(name)
    }
    func drop(_ family: Family) throws(EngineError) {
        try steps.take("drop")
        try base.drop(family)
    }
    func release(_ family: Family) { base.release(family) }
    func read<R>(
        _ key: UnsafeRawBufferPointer, in family: Family, at moment: Moment?, tier: EngineTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(EngineError) -> R { try base.read(key, in: family, at: moment, tier: tier, body) }
    func scan(
        from lower: Bytes, to upper: Bytes?, in family: Family, at moment: Moment?, isLong: Bool,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(EngineError) {
        try base.scan(from: lower, to: upper, in: family, at: moment, isLong: isLong, body)
    }
    func moment() -> Moment { base.moment() }
    func makeBatch() -> Batch { base.makeBatch() }
    func write(_ batch: Batch, _ durability: Durability) throws(EngineError) {
        try steps.take("write \(durability)")
        try base.write(batch, durability)
    }
    func flush(_ family: Family) throws(EngineError) {
        try steps.take("flush")
        try base.flush(family)
    }
    func makeLoader(into family: Family) throws(EngineError) -> any FamilyLoader {
        SteppedLoader(try base.makeLoader(into: family), steps)
    }
    func close() throws(EngineError) { try base.close() }
    func abandon() { base.abandon() }
}

private final class SteppedLoader: FamilyLoader {
    private let base: any FamilyLoader
    private let steps: Steps

    init(_ base: any FamilyLoader, _ steps: Steps) {
        self.base = base
        self.steps = steps
    }

    func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(EngineError) {
        try base.put(key, value)
    }

    func finish() throws(EngineError) {
        try steps.take("finish loading")
        try base.finish()
    }
}
