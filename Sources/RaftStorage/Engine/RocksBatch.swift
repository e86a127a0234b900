import ByteCoding
import RocksDB

/// Changes in RocksDB's own form: nothing is kept twice. Owned by one thread.
final class RocksBatch: EngineBatch {
    var changes = WriteBatch()

    var isEmpty: Bool { changes.count == 0 }

    func put(
        _ key: UnsafeRawBufferPointer, head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer,
        tail: UnsafeRawBufferPointer, in family: ColumnFamily
    ) {
        changes.put(
            RawSpan(_unsafeBytes: key), head: RawSpan(_unsafeBytes: head), body: RawSpan(_unsafeBytes: body),
            tail: RawSpan(_unsafeBytes: tail), in: family)
    }

    func delete(_ key: UnsafeRawBufferPointer, in family: ColumnFamily) {
        changes.delete(RawSpan(_unsafeBytes: key), in: family)
    }

    func deleteRange(from lower: Bytes, to upper: Bytes, in family: ColumnFamily) {
        lower.withSpan { lower in upper.withSpan { upper in changes.deleteRange(from: lower, to: upper, in: family) } }
    }
}
