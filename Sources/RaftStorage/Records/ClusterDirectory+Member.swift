import ByteCoding
package import Raft

extension ClusterDirectory {
    /// What a cluster knows of one of its members.
    ///
    /// ```
    /// incarnation u64 | flags u8 | peer | redis | http      each: length u32 | UTF-8
    /// ```
    /// Bit 0 of the flags: stays a learner. Whoever proposes an address checks that it is one.
    package struct Member: Hashable, Sendable {
        /// Where other nodes reach it, `host:port`. Empty: unknown.
        package var peer: String
        /// Where clients reach it. Empty: unknown, or not served.
        package var redis: String
        /// Where its status pages are. Empty: unknown, or not served.
        package var http: String
        /// Of its data directory. 0: unknown.
        package var incarnation: UInt64
        /// A learner that becomes a voter only when an operator says so.
        package var staysLearner: Bool

        package init(
            peer: String, redis: String = "", http: String = "", incarnation: UInt64 = 0, staysLearner: Bool = false
        ) {
            self.peer = peer
            self.redis = redis
            self.http = http
            self.incarnation = incarnation
            self.staysLearner = staysLearner
        }

        fileprivate func append(to writer: inout ByteWriter) {
            writer.append(incarnation)
            writer.append(staysLearner ? 1 : 0 as UInt8)
            for address in [peer, redis, http] {
                var address = address
                address.withUTF8 { writer.appendLengthPrefixed(UnsafeRawBufferPointer($0)) }
            }
        }

        fileprivate init(reading reader: inout ByteReader) throws(MalformedBytes) {
            incarnation = try reader.u64("incarnation")
            let flags = try reader.u8("flags of a member")
            guard flags <= 1 else { throw MalformedBytes("flags of a member", at: reader.offset - 1) }
            staysLearner = flags == 1
            peer = try Self.address(&reader)
            redis = try Self.address(&reader)
            http = try Self.address(&reader)
        }

        private static func address(_ reader: inout ByteReader) throws(MalformedBytes) -> String {
            let start = reader.offset
            let bytes = try reader.lengthPrefixed("address")
            guard let text = String(validating: bytes.array, as: UTF8.self) else {
                throw MalformedBytes("address", at: start)
            }
            return text
        }
    }

    /// Members by node: few, so that a sorted array is the simplest thing that has an order.
    package struct MemberTable: Hashable, Sendable {
        package struct Entry: Hashable, Sendable {
            package let node: NodeID
            package let member: Member
        }

        /// Ascending by node.
        package private(set) var entries: [Entry] = []

        package init() {}

        package subscript(node: NodeID) -> Member? {
            get { entries.first { $0.node == node }?.member }
            set {
                let position = entries.firstIndex { $0.node >= node } ?? entries.endIndex
                let isThere = position < entries.endIndex && entries[position].node == node
                let replacement = newValue.map { [Entry(node: node, member: $0)] } ?? []
                entries.replaceSubrange(position..<position + (isThere ? 1 : 0), with: replacement)
            }
        }

        /// `count u32 | (node u64 | member)*`
        func append(to writer: inout ByteWriter) {
            writer.append(UInt32(entries.count))
            for entry in entries {
                writer.append(entry.node.rawValue)
                entry.member.append(to: &writer)
            }
        }

        init(reading reader: inout ByteReader) throws(MalformedBytes) {
            for _ in 0..<(try reader.u32("member count")) {
                let node = NodeID(try reader.u64("member"))
                guard entries.last.map({ $0.node < node }) ?? true else {
                    throw MalformedBytes("order of members", at: reader.offset - 8)
                }
                entries.append(Entry(node: node, member: try Member(reading: &reader)))
            }
        }
    }
}
