import CRocksDB

/// A table file that the database consists of at some moment. It never changes; compactions replace it by others.
public struct LiveFile: Hashable, Sendable {
    /// Below the database's directory, e.g. `000123.sst`.
    public let name: String
    public let columnFamily: String
    public let level: Int
    public let bytes: UInt64
    /// Puts, deletions and range deletions, shadowed ones too.
    public let entries: UInt64
    public let smallestKey: [UInt8]
    public let largestKey: [UInt8]
}

extension Database {
    /// The table files of this moment, of all column families, ascending by name.
    public var liveFiles: [LiveFile] {
        let list = unsafe rocksdb_livefiles(handle)
        defer { unsafe rocksdb_livefiles_destroy(list) }
        let files = (0..<(unsafe rocksdb_livefiles_count(list))).map { position in
            var count = 0
            let smallest = unsafe rocksdb_livefiles_smallestkey(list, position, &count)
            let smallestKey = unsafe [UInt8](UnsafeRawBufferPointer(start: smallest, count: count))
            let largest = unsafe rocksdb_livefiles_largestkey(list, position, &count)
            let largestKey = unsafe [UInt8](UnsafeRawBufferPointer(start: largest, count: count))
            return unsafe LiveFile(
                // RocksDB begins the name with a slash.
                name: String(String(cString: rocksdb_livefiles_name(list, position)).drop { $0 == "/" }),
                columnFamily: String(cString: rocksdb_livefiles_column_family_name(list, position)),
                level: Int(rocksdb_livefiles_level(list, position)),
                bytes: UInt64(rocksdb_livefiles_size(list, position)),
                entries: rocksdb_livefiles_entries(list, position), smallestKey: smallestKey, largestKey: largestKey)
        }
        return files.sorted { $0.name < $1.name }
    }
}
