import RocksDB

/// The yardstick: a `WriteBatch` of the same pairs, synced, with RocksDB's own defaults and no compression. One thread, as
/// whoever uses RocksDB with batches of his own does it.
final class RawStore {
    private let database: Database
    private let family: ColumnFamily
    private var batch = WriteBatch()

    init(in folder: String) throws {
        do throws(RocksDBError) {
            var options = DatabaseOptions()
            options.createIfMissing = true
            database = try Database(path: folder + "/raw", options: options)
        } catch { throw BenchError("raw RocksDB: \(error)") }
        guard let family = database.columnFamily("default") else { throw BenchError("raw RocksDB has no family") }
        self.family = family
    }

    func write(_ count: Int, _ material: inout Material) throws {
        for _ in 0..<count {
            material.next { key, value in
                batch.put(RawSpan(_unsafeBytes: key), RawSpan(_unsafeBytes: value), in: family)
            }
        }
        do throws(RocksDBError) { try database.write(&batch, .synced) } catch {
            throw BenchError("raw RocksDB: \(error)")
        }
        batch.clear()
    }

    /// Waits until everything is in tables and nothing is left to compact.
    func settle() throws {
        do throws(RocksDBError) { try database.flush(family) } catch { throw BenchError("raw RocksDB: \(error)") }
        while ["num-running-compactions", "compaction-pending", "num-running-flushes"].contains(where: {
            database.integerProperty("rocksdb." + $0, of: family) ?? 0 > 0
        }) { pause(.milliseconds(20)) }
    }

    func close() throws {
        do throws(RocksDBError) { try database.close() } catch { throw BenchError("raw RocksDB: \(error)") }
    }
}
