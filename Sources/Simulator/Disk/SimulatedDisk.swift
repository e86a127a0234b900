import ByteCoding
import KeyValue
import Raft
import RaftStorage

/// A disk below the real records: it knows what was written, what of that is synced, and what a loss of power leaves.
///
/// A synced write of the log writer is under way until the world says that it is done (`beginSync`, `finishSync`); all
/// others are durable when they return. A crash keeps what was synced and some first part of the rest; a batch that it
/// tears is dropped as a whole, as RocksDB drops the torn tail of its log.
///
/// `@unchecked Sendable`: belongs to the one thread of its world.
final class SimulatedDisk: StorageEngine, @unchecked Sendable {
    /// What reads see.
    private(set) var visible = DiskImage()
    /// What a crash leaves at the least.
    private var durable = DiskImage()
    /// The records after each write that is not durable, in order.
    private var tail: [DiskImage] = []
    /// Versions of the states since they were flushed, in order.
    private var volatileStates: [Version] = []
    private var isSyncUnderWay = false
    /// How many writes of `tail` the sync under way covers.
    private var syncing = 0
    /// The next synced write fails, and what it leaves is unknown.
    var failsNextSync = false
    /// A sync has failed. Later ones say that they succeed, but nothing gets on the disk any more that is found again: the
    /// kernel gave the failed pages up, and the log can't be read across their hole.
    private var hasHole = false
    /// After so many more changes the disk fails; `nil`: never.
    var changesUntilFailure: Int?
    /// No change finds room.
    var isFull = false
    /// Small changes find room, whole snapshots don't.
    var isNearlyFull = false
    /// Keys of states whose blocks fail their checksums.
    private var rotten: [RottenKey] = []

    private struct RottenKey {
        var family: FamilyName
        var key: Bytes
    }

    private struct Version {
        var family: FamilyName
        var tree: OrderedTree
    }

    struct Moment: Sendable {
        fileprivate let image: DiskImage
    }

    // MARK: Syncs and crashes

    /// The synced write that comes next is durable only with `finishSync`.
    func beginSync() { isSyncUnderWay = true }

    /// The write that was announced may have had nothing to write.
    ///
    /// - Returns: whether there is a sync to be finished.
    func hasBegunSync() -> Bool {
        defer { isSyncUnderWay = false }
        return !isSyncUnderWay
    }

    func finishSync() {
        guard syncing > 0 else { return }
        durable.takeRecords(of: tail[syncing - 1])
        tail.removeFirst(syncing)
        syncing = 0
    }

    /// What the next process finds.
    ///
    /// - Parameter losesAll: in parts of 10,000, the chance that nothing unsynced survives.
    /// - Returns: whether anything unsynced survived.
    func crash(_ random: inout RandomStream, losesAll: Int) -> Bool {
        var survived = false
        if !tail.isEmpty, !random.chance(losesAll) {
            let kept = random.below(tail.count + 1)
            if kept > 0 { durable.takeRecords(of: tail[kept - 1]) }
            survived = kept > 0
        }
        // The engine may have flushed a state by itself.
        if !volatileStates.isEmpty, random.chance(3_000) {
            for version in volatileStates.prefix(random.below(volatileStates.count + 1))
            where durable[version.family] != nil {
                durable[version.family] = version.tree
            }
        }
        durable.alignFamilies(with: visible)
        visible = durable
        tail = []
        volatileStates = []
        isSyncUnderWay = false
        syncing = 0
        failsNextSync = false
        hasHole = false
        changesUntilFailure = nil
        return survived
    }

    /// Flips a bit of a value, on the medium itself. Call it between `crash` and the next start.
    ///
    /// The records of the log and of the node have checksums of their own, above the engine. The states have those of the
    /// engine's blocks: there a read fails instead of finding the wrong bytes.
    ///
    /// - Returns: whether there was one.
    func flipBit(in family: FamilyName, _ random: inout RandomStream) -> Bool {
        var values: [(key: Bytes, value: Bytes)] = []
        durable[family]?.scan(from: Bytes(), to: Self.aboveAllKeys) { key, value in
            if value.count > 0 { values.append((key, value)) }
            return true
        }
        guard !values.isEmpty else { return false }
        let (key, value) = random.pick(values)
        if family.generation != nil {
            rotten.append(RottenKey(family: family, key: key))
            return true
        }
        var bytes = value.array
        bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        durable[family]?.put(key, Bytes(bytes))
        visible = durable
        return true
    }

    private func checkBlocks(_ family: FamilyName, holds isHit: (Bytes) -> Bool) throws(EngineError) {
        guard !rotten.isEmpty, rotten.contains(where: { $0.family == family && isHit($0.key) }) else { return }
        throw EngineError(.corruption, "simulated: a block's checksum is wrong")
    }

    // MARK: Families

    var familyNames: [FamilyName] { visible.names }

    func family(_ name: FamilyName) -> FamilyName? { visible[name] == nil ? nil : name }

    func create(_ name: FamilyName) throws(EngineError) -> FamilyName {
        try countChange()
        visible[name] = OrderedTree()
        durable[name] = OrderedTree()
        for place in tail.indices { tail[place][name] = OrderedTree() }
        return name
    }

    func drop(_ family: FamilyName) throws(EngineError) {
        try countChange()
        visible[family] = nil
        durable[family] = nil
        rotten.removeAll { $0.family == family }
        for place in tail.indices { tail[place][family] = nil }
        volatileStates.removeAll { $0.family == family }
    }

    func release(_ family: FamilyName) {}

    // MARK: Reading

    func read<R>(
        _ key: UnsafeRawBufferPointer, in family: FamilyName, at moment: Moment?, tier: EngineTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(EngineError) -> R {
        if !rotten.isEmpty {
            let wanted = Bytes(copying: key)
            try checkBlocks(family) { $0 == wanted }
        }
        let image = moment?.image ?? (tier == .persisted ? durable : visible)
        guard let value = image[family]?.value(of: key) else { return body(nil) }
        return value.withUnsafeBytes(body)
    }

    func scan(
        from lower: Bytes, to upper: Bytes?, in family: FamilyName, at moment: Moment?, isLong: Bool,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(EngineError) {
        let end = upper ?? Self.aboveAllKeys
        try checkBlocks(family) { lower <= $0 && $0 < end }
        let image = moment?.image ?? visible
        image[family]?.scan(from: lower, to: end) { key, value in
            key.withUnsafeBytes { key in value.withUnsafeBytes { body(key, $0) } }
        }
    }

    /// No key of any family begins like this.
    private static let aboveAllKeys = Bytes([UInt8](repeating: 0xFF, count: 32))

    func moment() -> Moment { Moment(image: visible) }

    // MARK: Writing

    func makeBatch() -> RecordedBatch { RecordedBatch() }

    func write(_ batch: RecordedBatch, _ durability: Durability) throws(EngineError) {
        try countChange()
        let changes = batch.takeChanges()
        for change in changes { visible.apply(change) }
        switch durability {
        case .volatile: noteVolatile(changes)
        case .ordered: if !hasHole { tail.append(visible) }
        case .synced: try sync()
        }
    }

    private func noteVolatile(_ changes: [RecordedBatch.Change]) {
        guard let family = changes.first?.family, let tree = visible[family] else { return }
        volatileStates.append(Version(family: family, tree: tree))
    }

    private func sync() throws(EngineError) {
        if hasHole {
            isSyncUnderWay = false
            return
        }
        tail.append(visible)
        if failsNextSync {
            failsNextSync = false
            hasHole = true
            throw EngineError(.io, "simulated: the sync failed")
        }
        if isSyncUnderWay {
            isSyncUnderWay = false
            syncing = tail.count
        } else {
            // Everything before it is synced along, a write under way too.
            durable.takeRecords(of: visible)
            tail = []
            syncing = 0
        }
    }

    func flush(_ family: FamilyName) throws(EngineError) {
        try countChange()
        durable[family] = visible[family]
        volatileStates.removeAll { $0.family == family }
    }

    func makeLoader(into family: FamilyName) throws(EngineError) -> any FamilyLoader {
        BatchLoader(self, into: family)
    }

    private func countChange() throws(EngineError) {
        if isFull { throw EngineError(.noSpace, "simulated: no space") }
        guard let left = changesUntilFailure else { return }
        guard left > 0 else { throw EngineError(.io, "simulated: the disk fails") }
        changesUntilFailure = left - 1
    }

    func close() throws(EngineError) {}
    func abandon() {}
}
