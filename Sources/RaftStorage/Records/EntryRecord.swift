import ByteCoding
import Raft

/// A log entry's value:
///
/// ```
/// version u8 | kind u8 | flags u16 | term u64 | payload … | checksum u32
/// ```
/// The checksum is the entry's own, made once by the leader: it covers group and index, and so the key. Version and
/// flags, which it leaves out, have one legal value each.
///
/// What a later version writes is told apart from damage: whatever else is in it, the first byte is a higher version, and the
/// last four are the CRC-32C of the key and everything before them. Other flags come with another version only; another kind
/// may come without, for the entry's own checksum covers it.
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
        guard !isOfLaterVersion(value, group, index) else {
            throw StorageError(.newerFormat, "\(what): record version \(value[0]), this build knows \(version)")
        }
        guard value.count >= headBytes + tailBytes else {
            throw StorageError(.corruption, "\(what): \(value.count) bytes are too few")
        }
        do {
            var reader = ByteReader(value)
            let version = try reader.u8("version")
            let kindNumber = try reader.u8("kind")
            let flags = try reader.u16("flags")
            let id = EntryID(term: Term(try reader.u64("term")), index: index)
            let payload = try reader.run(reader.remaining - tailBytes, "payload")
            let checksum = try reader.u32("checksum")
            guard version == Self.version, flags == 0 else {
                throw StorageError(.corruption, "\(what): version \(version), flags \(flags) were never written")
            }
            guard let kind = Entry.Kind(rawValue: kindNumber) else {
                guard checksum == Entry.checksum(group: group, id: id, kind: kindNumber, payload: payload) else {
                    throw StorageError(.corruption, "\(what): wrong checksum, and the unknown kind \(kindNumber)")
                }
                throw StorageError(.newerFormat, "\(what) has the unknown kind \(kindNumber)")
            }
            let entry = Entry(id: id, kind: kind, payload: payload, checksum: checksum)
            guard entry.isIntact(in: group) else { throw StorageError(.corruption, "\(what): wrong checksum") }
            return entry
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corruption, "\(what): \(error)")
        }
    }

    private static func isOfLaterVersion(_ value: Bytes, _ group: GroupID, _ index: LogIndex) -> Bool {
        let body = value.count - tailBytes
        guard body >= 1, value[0] > version else { return false }
        var crc = CRC32C()
        crc.update(RaftKey.entry(group, index))
        crc.update(value.slice(0..<body))
        var tail = ByteReader(value.slice(body..<value.count))
        return (try? tail.u32("checksum")) == crc.value
    }
}
