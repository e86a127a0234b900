import ByteCoding
import KeyValue
import RocksDB

/// The state in a column family of its own, written without WAL: what the log holds is never logged a second time.
/// After a crash the state is that of the last flush, and says so itself by its applied record.
final class RocksStateStore: StateStore {
    private let database: Database
    private let family: ColumnFamily

    init(database: Database, family: ColumnFamily) {
        self.database = database
        self.family = family
    }

    func makeBatch() -> RocksStateBatch { RocksStateBatch(family: family) }

    func commit(_ batch: RocksStateBatch) throws(StateStoreError) {
        try state { () throws(RocksDBError) in try database.write(&batch.batch, .withoutWAL) }
        batch.batch.clear()
    }

    func withSnapshot<R>(_ body: (any StateReader) throws(StateStoreError) -> R) throws(StateStoreError) -> R {
        try body(RocksStateReader(database: database, family: family, snapshot: Snapshot(database)))
    }

    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        try RocksStateReader.latest(database, family).read(key, tier: tier, body)
    }

    func scan(
        from lower: Bytes, to upper: Bytes, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        try RocksStateReader.latest(database, family).scan(from: lower, to: upper, body)
    }
}

/// Reads of the present, or of one moment.
struct RocksStateReader: StateReader {
    let database: Database
    let family: ColumnFamily
    let everything: ReadOptions
    let inMemory: ReadOptions
    /// Scans see far more than stays useful.
    let scanning: ReadOptions

    private static let everythingNow = ReadOptions()
    private static let inMemoryNow = ReadOptions(tier: .memory)
    private static let scanningNow = ReadOptions(fillCache: false)

    static func latest(_ database: Database, _ family: ColumnFamily) -> RocksStateReader {
        RocksStateReader(
            database: database, family: family, everything: everythingNow, inMemory: inMemoryNow, scanning: scanningNow)
    }

    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        let options =
            switch tier {
            case .all: everything
            case .memory: inMemory
            }
        return try state { () throws(RocksDBError) in
            try database.get(RawSpan(_unsafeBytes: key), in: family, options) { value in
                guard let value else { return body(nil) }
                return value.withUnsafeBytes { body($0) }
            }
        }
    }

    func scan(
        from lower: Bytes, to upper: Bytes, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError) {
        try state { () throws(RocksDBError) in
            try lower.withSpan { (lower) throws(RocksDBError) in
                try upper.withSpan { (upper) throws(RocksDBError) in
                    try database.scan(from: lower, to: upper, in: family, scanning) { key, value in
                        key.withUnsafeBytes { key in value.withUnsafeBytes { value in body(key, value) } }
                    }
                }
            }
        }
    }
}

extension RocksStateReader {
    init(database: Database, family: ColumnFamily, snapshot: Snapshot) {
        self.init(
            database: database, family: family, everything: ReadOptions(snapshot: snapshot),
            inMemory: ReadOptions(tier: .memory, snapshot: snapshot),
            scanning: ReadOptions(snapshot: snapshot, fillCache: false))
    }
}

/// Changes that become visible together. Owned by one thread.
final class RocksStateBatch: StateBatch {
    private let family: ColumnFamily
    fileprivate(set) var batch = WriteBatch()

    init(family: ColumnFamily) { self.family = family }

    var isEmpty: Bool { batch.count == 0 }

    func put(_ key: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        batch.put(
            RawSpan(_unsafeBytes: key), head: RawSpan(_unsafeBytes: header), body: RawSpan(_unsafeBytes: value),
            in: family)
    }

    func delete(_ key: UnsafeRawBufferPointer) { batch.delete(RawSpan(_unsafeBytes: key), in: family) }

    func deleteRange(from lower: Bytes, to upper: Bytes) {
        lower.withSpan { lower in
            upper.withSpan { upper in batch.deleteRange(from: lower, to: upper, in: family) }
        }
    }
}

extension StateStoreError {
    init(_ error: RocksDBError) {
        let kind: Kind =
            switch error.kind {
            case .incomplete: .wouldBlock
            case .corruption: .corruption
            case .noSpace: .noSpace
            case .io, .lockHeld: .io
            case .busy, .other: .other
            }
        self.init(kind, error.message)
    }
}

private func state<R>(_ body: () throws(RocksDBError) -> R) throws(StateStoreError) -> R {
    do { return try body() } catch { throw StateStoreError(error) }
}
