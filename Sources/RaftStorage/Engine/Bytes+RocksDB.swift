import ByteCoding
import RocksDB

extension Bytes {
    /// Gives `body` the bytes as module RocksDB takes them.
    func withSpan<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try withUnsafeBytes { (buffer) throws(E) -> R in try body(RawSpan(_unsafeBytes: buffer)) }
    }

    init(copying span: RawSpan) { self = span.withUnsafeBytes { Bytes(copying: $0) } }
}

extension WriteBatch {
    mutating func put(_ key: Bytes, _ value: Bytes, in family: ColumnFamily) {
        key.withSpan { key in value.withSpan { value in put(key, value, in: family) } }
    }
}

extension Database {
    func get(_ key: Bytes, in family: ColumnFamily, _ options: ReadOptions = .standard) throws(RocksDBError) -> Bytes? {
        try key.withSpan { (key) throws(RocksDBError) in try get(key, in: family, options).map { Bytes($0) } }
    }
}
