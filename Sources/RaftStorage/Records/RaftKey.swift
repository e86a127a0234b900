import ByteCoding
import Raft

/// Keys of the column family `raft`, fixed in length and sorted by family, group, index:
///
/// ```
/// 01 | group u64 BE | index u64 BE   log entry
/// 02 | group u64 BE                  hard state
/// 03 | group u64 BE                  truncation marker
/// 04 | group u64 BE                  commit hint
/// ```
enum RaftKey {
    static func entry(_ group: GroupID, _ index: LogIndex) -> Bytes {
        var writer = ByteWriter(reservingCapacity: 17)
        writer.append(1 as UInt8)
        writer.appendBigEndian(group.rawValue)
        writer.appendBigEndian(index.rawValue)
        return writer.take()
    }

    /// The index of a key that was found among the entries of `group`.
    ///
    /// - Throws: `.corruption` for a key that no entry of it can have.
    static func index(ofEntry key: UnsafeRawBufferPointer, group: GroupID) throws(StorageError) -> LogIndex {
        guard key.count == 17, key[0] == 1,
            key.loadUnaligned(fromByteOffset: 1, as: UInt64.self) == group.rawValue.bigEndian
        else { throw StorageError(.corruption, "a key of \(key.count) bytes among the log entries of group \(group)") }
        return LogIndex(UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 9, as: UInt64.self)))
    }

    /// Whether such a key can belong to a record of `group`.
    static func isKnown(_ key: UnsafeRawBufferPointer, group: GroupID) -> Bool {
        guard key.count >= 9, key.loadUnaligned(fromByteOffset: 1, as: UInt64.self) == group.rawValue.bigEndian else {
            return false
        }
        return key[0] == 1 ? key.count == 17 : (2...4).contains(key[0]) && key.count == 9
    }

    static func hardState(_ group: GroupID) -> Bytes { key(2, group) }
    static func truncation(_ group: GroupID) -> Bytes { key(3, group) }
    static func commit(_ group: GroupID) -> Bytes { key(4, group) }

    private static func key(_ family: UInt8, _ group: GroupID) -> Bytes {
        var writer = ByteWriter(reservingCapacity: 9)
        writer.append(family)
        writer.appendBigEndian(group.rawValue)
        return writer.take()
    }
}
