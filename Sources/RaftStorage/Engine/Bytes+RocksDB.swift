import ByteCoding
import RocksDB

extension Bytes {
    /// Gives `body` the bytes as module RocksDB takes them.
    func withSpan<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try withUnsafeBytes { (buffer) throws(E) -> R in try body(RawSpan(_unsafeBytes: buffer)) }
    }
}
