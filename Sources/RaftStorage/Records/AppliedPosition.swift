package import ByteCoding
package import Raft

/// How far Raft's log is applied, as it stands inside the state's applied record, opaque to the state machine:
///
/// ```
/// version u8 | index u64 | term u64 | voters | learners | outgoing      each: count u32 | node u64 …
/// ```
/// The record around it carries the checksum.
package struct AppliedPosition: Hashable, Sendable {
    package static let version: UInt8 = 1

    /// The last entry whose effects the state holds.
    package var id: EntryID
    /// The membership as of that entry.
    package var membership: Membership

    package init(id: EntryID, membership: Membership) {
        self.id = id
        self.membership = membership
    }

    package func encode() -> Bytes {
        var writer = ByteWriter(reservingCapacity: 64)
        writer.append(Self.version)
        writer.append(id.index.rawValue)
        writer.append(id.term.rawValue)
        for nodes in [membership.voters, membership.learners, membership.outgoing] {
            writer.append(UInt32(nodes.count))
            for node in nodes { writer.append(node.rawValue) }
        }
        return writer.take()
    }

    /// - Throws: `.corruption`, `.newerFormat`.
    package init(decoding bytes: Bytes) throws(StorageError) {
        do {
            var reader = ByteReader(bytes)
            let version = try reader.u8("version")
            guard version == Self.version else {
                throw StorageError(
                    .newerFormat, "applied position of version \(version), this build knows \(Self.version)")
            }
            let index = LogIndex(try reader.u64("index"))
            id = EntryID(term: Term(try reader.u64("term")), index: index)
            membership = Membership(
                voters: try Self.nodes(&reader), learners: try Self.nodes(&reader), outgoing: try Self.nodes(&reader))
            guard reader.isAtEnd else { throw MalformedBytes("end of the applied position", at: reader.offset) }
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corruption, "\(error)")
        }
    }

    private static func nodes(_ reader: inout ByteReader) throws(MalformedBytes) -> [NodeID] {
        let count = Int(try reader.u32("node count"))
        guard count <= reader.remaining / 8 else { throw MalformedBytes("node count", at: reader.offset) }
        var nodes: [NodeID] = []
        nodes.reserveCapacity(count)
        for _ in 0..<count { nodes.append(NodeID(try reader.u64("node"))) }
        return nodes
    }
}
