import ByteCoding
import RocksDB

@testable import RaftStorage

/// Ways into the database that only tests take: to damage what the store would never damage.
extension NodeStore {
    var rocks: RocksEngine { (records as! EngineRecordStore<RocksEngine>).engine }
}

extension RocksEngine {
    private var log: ColumnFamily { family(.raft)! }

    func get(_ key: Bytes) throws -> Bytes? { try value(of: key, in: log) }

    func put(_ key: Bytes, _ value: Bytes) throws { try put(key, value, in: log) }

    private func put(_ key: Bytes, _ value: Bytes, in family: ColumnFamily) throws {
        let batch = makeBatch()
        batch.put(key, value, in: family)
        try write(batch, .synced)
    }

    func delete(_ key: Bytes) throws { try key.withSpan { key in try database.delete(key, in: log, .synced) } }

    func flushLog() throws { try flush(log) }

    func createFamily(_ name: String) throws {
        _ = try database.createColumnFamily(name, options: ColumnFamilyOptions())
    }

    func dropLog() throws { try database.drop(log) }

    func overwriteFormat(_ record: Bytes) throws { try put(FormatRecord.key, record, in: family(.root)!) }
}
