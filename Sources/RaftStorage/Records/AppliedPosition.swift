package import ByteCoding
package import Raft

/// How far Raft's log is applied and who belongs to the cluster then, as it stands inside the state's applied record,
/// opaque to the state machine:
///
/// ```
/// version u8 (2) | index u64 | term u64 | membership | directory       see MembershipFields, ClusterDirectory
/// version u8 (1) | index u64 | term u64 | voters | learners | outgoing
/// ```
/// The record around it carries the checksum.
package struct AppliedPosition: Hashable, Sendable {
    package static let version: UInt8 = 2

    /// The last entry whose effects the state holds.
    package var id: EntryID
    /// The membership as of that entry.
    package var membership: Membership
    /// What is known of the members as of that entry.
    package var directory: ClusterDirectory

    package init(id: EntryID, membership: Membership, directory: ClusterDirectory) {
        self.id = id
        self.membership = membership
        self.directory = directory
    }

    package func encode() -> Bytes {
        var writer = ByteWriter(reservingCapacity: 512)
        writer.append(Self.version)
        writer.append(id.index.rawValue)
        writer.append(id.term.rawValue)
        MembershipFields.append(membership, to: &writer)
        directory.append(to: &writer)
        return writer.take()
    }

    /// Reads any version that there was. Version 1 had no directory: it then knows the members' ids alone.
    ///
    /// - Throws: `.corruption`, `.newerFormat`.
    package init(decoding bytes: Bytes) throws(StorageError) {
        do {
            var reader = ByteReader(bytes)
            let version = try reader.u8("version")
            guard version <= Self.version else {
                throw StorageError(
                    .newerFormat, "applied position of version \(version), this build knows \(Self.version)")
            }
            guard version > 0 else { throw MalformedBytes("version of the applied position", at: 0) }
            let index = LogIndex(try reader.u64("index"))
            id = EntryID(term: Term(try reader.u64("term")), index: index)
            if version == 1 {
                membership = try MembershipFields.readFirstVersion(&reader)
                directory = ClusterDirectory(founders: membership.all)
            } else {
                membership = try MembershipFields.read(&reader)
                directory = try ClusterDirectory(reading: &reader)
            }
            guard reader.isAtEnd else { throw MalformedBytes("end of the applied position", at: reader.offset) }
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corruption, "\(error)")
        }
    }
}
