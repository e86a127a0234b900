import ByteCoding
import Raft

/// A log entry's value:
///
/// ```
/// version u8 | kind u8 | flags u16 | term u64 | payload … | checksum u32
/// ```
/// The checksum is the entry's own, made once by the leader: it covers group and index, and so the key. Version and
/// flags, which it leaves out, have one legal value each.
enum EntryRecord {
    static let version: UInt8 = 1
    static let headBytes = 12
    private static let tailBytes = 4

    /// What stands before the payload.
    static func head(_ entry: Entry) -> Bytes {
        var writer = ByteWriter(reservingCapacity: headBytes)
        writer.append(version)
        writer.append(entry.kind.rawValue)
        writer.append(0 as UInt16)
        writer.append(entry.term.rawValue)
        return writer.take()
    }

    /// Reads and checks the record found under the key of `group` and `index`; the payload shares its storage.
    static func decode(_ value: Bytes, group: GroupID, index: LogIndex) throws(StorageError) -> Entry {
        let what = "log entry \(index) of group \(group)"
        guard value.count >= headBytes + tailBytes else {
            throw StorageError(.corruption, "\(what): \(value.count) bytes are too few")
        }
        do {
            var reader = ByteReader(value)
            let version = try reader.u8("version")
            let kind = Entry.Kind(rawValue: try reader.u8("kind"))
            let flags = try reader.u16("flags")
            let term = Term(try reader.u64("term"))
            let payload = try reader.run(reader.remaining - tailBytes, "payload")
            let checksum = try reader.u32("checksum")
            guard version == Self.version, flags == 0, let kind else {
                throw StorageError(
                    .corruption, "\(what): version \(version), kind \(value[1]), flags \(flags) were never written")
            }
            let entry = Entry(id: EntryID(term: term, index: index), kind: kind, payload: payload, checksum: checksum)
            guard entry.isIntact(in: group) else { throw StorageError(.corruption, "\(what): wrong checksum") }
            return entry
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corruption, "\(what): \(error)")
        }
    }
}
