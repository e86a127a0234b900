import ByteCoding
import Raft

/// A membership inside of other records:
///
/// ```
/// voters | learners | outgoing     each: count u32 | node u64 …
/// learners next | leaves automatically u8 (0 or 1)            from version 2 of the records on
/// ```
enum MembershipFields {
    static func append(_ membership: Membership, to writer: inout ByteWriter) {
        for nodes in [membership.voters, membership.learners, membership.outgoing, membership.learnersNext] {
            writer.append(UInt32(nodes.count))
            for node in nodes { writer.append(node.rawValue) }
        }
        writer.append(membership.leavesAutomatically ? 1 : 0 as UInt8)
    }

    static func read(_ reader: inout ByteReader) throws(MalformedBytes) -> Membership {
        let (voters, learners, outgoing) = try (nodes(&reader), nodes(&reader), nodes(&reader))
        let learnersNext = try nodes(&reader)
        let flag = try reader.u8("leaves automatically")
        guard flag <= 1 else { throw MalformedBytes("leaves automatically", at: reader.offset - 1) }
        return Membership(
            voters: voters, learners: learners, outgoing: outgoing, learnersNext: learnersNext,
            leavesAutomatically: flag == 1)
    }

    /// As version 1 wrote it.
    static func readFirstVersion(_ reader: inout ByteReader) throws(MalformedBytes) -> Membership {
        Membership(voters: try nodes(&reader), learners: try nodes(&reader), outgoing: try nodes(&reader))
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
