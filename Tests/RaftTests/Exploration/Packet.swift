@testable import Raft

/// Something under way from one node to another.
struct Packet: Hashable {
    enum Content: Hashable {
        case message(Message)
        /// All of a snapshot, sent in this term.
        case snapshot(SnapshotMeta, term: Term)
    }

    let from: NodeID
    let to: NodeID
    let content: Content
    /// Of all the above.
    let digest: Int

    init(from: NodeID, to: NodeID, _ content: Content) {
        self.from = from
        self.to = to
        self.content = content
        var hasher = Hasher()
        hasher.combine(from)
        hasher.combine(to)
        hasher.combine(content)
        digest = hasher.finalize()
    }

    var isSnapshot: Bool { if case .snapshot = content { true } else { false } }
}

extension Packet: CustomStringConvertible {
    var description: String {
        switch content {
        case .message(let message): "\(from) -> \(to) in term \(message.term): \(Self.describe(message.body))"
        case .snapshot(let meta, let term): "\(from) -> \(to) in term \(term): snapshot through \(meta.id)"
        }
    }

    private static func describe(_ body: Message.Body) -> String {
        guard case .appendRequest(let previous, let entries, let commit) = body else { return "\(body)" }
        return "append after \(previous): \(entries.map(\.id)), commit \(commit)"
    }
}
