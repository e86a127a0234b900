package import ByteCoding
package import Raft

/// What a snapshot is, for the offer that precedes its bytes.
///
/// ```
/// version u8 (1) | group u64 | cluster id u64 | index u64 | term u64 | membership
///                | total bytes u64 | hash u64 | crc32c u32 over everything before
/// ```
package struct SnapshotDescription: Hashable, Sendable {
    static let version: UInt8 = 1

    package var group: GroupID
    package var clusterID: UInt64
    package var meta: SnapshotMeta
    /// Of the whole file.
    package var totalBytes: UInt64
    /// The hash in the file's footer: two files with the same description are the same.
    package var hash: UInt64

    package func encode() -> Bytes {
        var writer = ByteWriter(reservingCapacity: 128)
        writer.append(Self.version)
        SnapshotHeader(self).append(to: &writer)
        writer.append(totalBytes)
        writer.append(hash)
        writer.append(CRC32C.checksum(Bytes(writer.bytes)))
        return writer.take()
    }

    init(_ header: SnapshotHeader, totalBytes: UInt64, hash: UInt64) {
        group = header.group
        clusterID = header.clusterID
        meta = header.meta
        self.totalBytes = totalBytes
        self.hash = hash
    }

    /// - Throws: `.malformed`.
    package init(decoding bytes: Bytes) throws(SnapshotError) {
        do {
            var reader = ByteReader(bytes)
            guard try reader.u8("version of a snapshot's description") == Self.version else {
                throw MalformedBytes("version of a snapshot's description", at: 0)
            }
            let header = try SnapshotHeader(reading: &reader)
            let (totalBytes, hash) = (try reader.u64("total bytes"), try reader.u64("hash"))
            let checksum = CRC32C.checksum(bytes.slice(0..<reader.offset))
            guard try reader.u32("checksum") == checksum, reader.isAtEnd else {
                throw MalformedBytes("end of a snapshot's description", at: reader.offset)
            }
            self.init(header, totalBytes: totalBytes, hash: hash)
        } catch {
            throw .malformed("the description of the snapshot: \(error)")
        }
    }

    /// The name of the file that holds it or a part of it. Everything that makes it another file is in the name.
    func fileName(from sender: NodeID) -> String {
        "\(group)-\(meta.index)-\(meta.id.term)-\(sender)-\(totalBytes)-\(hash.hex)"
    }
}

/// What a snapshot says of itself in front.
struct SnapshotHeader: Hashable {
    var group: GroupID
    var clusterID: UInt64
    var meta: SnapshotMeta

    init(group: GroupID, clusterID: UInt64, meta: SnapshotMeta) {
        self.group = group
        self.clusterID = clusterID
        self.meta = meta
    }

    init(_ description: SnapshotDescription) {
        self.init(group: description.group, clusterID: description.clusterID, meta: description.meta)
    }

    func append(to writer: inout ByteWriter) {
        writer.append(group.rawValue)
        writer.append(clusterID)
        writer.append(meta.id.index.rawValue)
        writer.append(meta.id.term.rawValue)
        MembershipFields.append(meta.membership, to: &writer)
    }

    init(reading reader: inout ByteReader) throws(MalformedBytes) {
        group = GroupID(try reader.u64("group"))
        clusterID = try reader.u64("cluster id")
        let index = LogIndex(try reader.u64("index"))
        let id = EntryID(term: Term(try reader.u64("term")), index: index)
        meta = SnapshotMeta(id: id, membership: try MembershipFields.read(&reader))
    }
}
