import RocksDB

/// Shorthands with strings, so that tests read as what they are about.
extension Database {
    static func make(at path: String, _ change: (inout DatabaseOptions) -> Void = { _ in }) throws -> Database {
        var options = DatabaseOptions()
        options.createIfMissing = true
        change(&options)
        return try Database(path: path, options: options)
    }

    /// The column family `default`.
    var root: ColumnFamily { columnFamily("default")! }

    func put(
        _ key: String, _ value: String, in family: ColumnFamily? = nil, _ options: WriteOptions = .unsynced
    ) throws(RocksDBError) {
        try put(Array(key.utf8).span.bytes, Array(value.utf8).span.bytes, in: family ?? root, options)
    }

    func get(
        _ key: String, in family: ColumnFamily? = nil, _ options: ReadOptions = .standard
    ) throws(RocksDBError) -> String? {
        try get(Array(key.utf8).span.bytes, in: family ?? root, options).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `key=value` of each pair.
    func pairs(
        from lower: String = "", to upper: String? = nil, in family: ColumnFamily? = nil,
        _ options: ReadOptions = .standard
    ) throws -> [String] {
        var found: [String] = []
        func add(_ key: RawSpan, _ value: RawSpan) -> Bool {
            found.append(key.text + "=" + value.text)
            return true
        }
        if let upper {
            try scan(
                from: Array(lower.utf8).span.bytes, to: Array(upper.utf8).span.bytes, in: family ?? root, options, add)
        } else {
            try scan(from: Array(lower.utf8).span.bytes, to: nil, in: family ?? root, options, add)
        }
        return found
    }
}

extension RawSpan {
    var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

extension WriteBatch {
    mutating func put(_ key: String, _ value: String, in family: ColumnFamily) {
        put(Array(key.utf8).span.bytes, Array(value.utf8).span.bytes, in: family)
    }

    mutating func delete(_ key: String, in family: ColumnFamily) { delete(Array(key.utf8).span.bytes, in: family) }

    mutating func deleteRange(from lower: String, to upper: String, in family: ColumnFamily) {
        deleteRange(from: Array(lower.utf8).span.bytes, to: Array(upper.utf8).span.bytes, in: family)
    }
}
