package import Raft

/// What a node is to the other members of its cluster, as it knew last. Noted in a file of its own, `company`, because the
/// database may be what is damaged when it matters:
///
/// ```
/// roost-company 1
/// alone|needed|spared
/// ```
enum Company: String, CaseIterable {
    /// There never was anybody else: nobody could send anything again, and nobody could lift a suspicion.
    case alone
    /// The others are no majority without this node.
    case needed
    /// The others are a majority without this node.
    case spared

    private static let title = "roost-company 1"

    init(of node: NodeID, in membership: Membership, hasMetNobody: Bool) {
        if membership.canSpare(node) {
            self = .spared
        } else {
            self = membership.all == [node] && hasMetNobody ? .alone : .needed
        }
    }

    /// Nil where nothing is noted that can be read.
    init?(notedIn directory: DataDirectory) throws(StorageError) {
        guard let bytes = try FileSystem.read(directory.company) else { return nil }
        self.init(bytes)
    }

    /// Nil for what no such file holds.
    init?(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 2, lines[0] == Self.title else { return nil }
        self.init(rawValue: lines[1])
    }

    /// Durable on return.
    func note(in directory: DataDirectory) throws(StorageError) {
        try FileSystem.write(Array("\(Self.title)\n\(rawValue)\n".utf8), to: directory.company)
    }
}

extension Membership {
    /// Whether the others are a majority without `node`, in both halves of a joint configuration.
    package func canSpare(_ node: NodeID) -> Bool {
        !voters.isEmpty && [voters, outgoing].allSatisfy { $0.count > 2 || !$0.contains(node) }
    }
}
