import ByteCoding
import RocksDB

@testable import RaftStorage

/// Ways into the database that only tests take: to damage what the store would never damage.
extension NodeStore {
    var rocks: RocksEngine { engine as! RocksEngine }
}

extension RocksEngine {
    private var log: ColumnFamily { database.columnFamily(RocksLayout.raft)! }

    var familyNames: [String] { database.columnFamilyNames }

    func get(_ key: Bytes) throws -> Bytes? { try database.get(key, in: log) }

    func put(_ key: Bytes, _ value: Bytes) throws {
        try key.withSpan { key in try value.withSpan { value in try database.put(key, value, in: log, .synced) } }
    }

    func delete(_ key: Bytes) throws { try key.withSpan { key in try database.delete(key, in: log, .synced) } }

    func flushLog() throws { try database.flush(log) }

    func createFamily(_ name: String) throws {
        _ = try database.createColumnFamily(name, options: ColumnFamilyOptions())
    }

    func dropLog() throws { try database.drop(log) }

    func overwriteFormat(_ record: Bytes) throws {
        try RocksLayout.write([(FormatRecord.key, record, database.columnFamily("default")!)], to: database)
    }
}
