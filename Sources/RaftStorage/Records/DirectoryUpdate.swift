package import ByteCoding
package import Raft

/// What travels in `MembershipChange.context`: what becomes known of members by the change.
///
/// ```
/// version u8 (1) | count u32 | (node u64 | member)*     ascending by node; no bytes at all: nothing becomes known
/// ```
package struct DirectoryUpdate: Hashable, Sendable {
    package static let version: UInt8 = 1

    package private(set) var members = ClusterDirectory.MemberTable()

    package init() {}

    /// Says what is known of `node`, in place of all that was known before.
    package mutating func set(_ member: ClusterDirectory.Member, for node: NodeID) { members[node] = member }

    package func encode() -> Bytes {
        if members.entries.isEmpty { return Bytes() }
        var writer = ByteWriter(reservingCapacity: 64)
        writer.append(Self.version)
        members.append(to: &writer)
        return writer.take()
    }

    /// - Throws: `.newerFormat` for whatever `encode` does not make: it stands in entries alone, which are read only if they
    ///   fit their checksum, so a later version wrote it.
    package init(decoding bytes: Bytes) throws(StorageError) {
        if bytes.isEmpty { return }
        do {
            var reader = ByteReader(bytes)
            let version = try reader.u8("version")
            guard version <= Self.version else {
                throw StorageError(
                    .newerFormat, "directory update of version \(version), this build knows \(Self.version)")
            }
            members = try ClusterDirectory.MemberTable(reading: &reader)
            guard version > 0, reader.isAtEnd else { throw MalformedBytes("directory update", at: reader.offset) }
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.newerFormat, "directory update: \(error)")
        }
    }
}
