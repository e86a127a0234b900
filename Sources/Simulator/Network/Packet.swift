import ByteCoding
import KeyValue
import Raft

/// What travels between two nodes.
struct Packet {
    enum Content {
        /// A Raft message in its real encoding.
        case raft(Bytes)
        /// A segment of another node's clients, for the leader of `term`.
        case forward(Forward)
    }

    /// Places in `World.nodes`.
    var from: Int
    var to: Int
    var content: Content
    /// The incarnations of the data directories at both ends when it was sent: a connection between two others ends
    /// with them.
    var fromDirectory: UInt64 = 0
    var toDirectory: UInt64 = 0
}

/// A segment of commands on its way to the leader, once in its life: its origin never sends it again.
struct Forward {
    var origin: Origin
    /// The term in which it was sent; a leader of another term refuses it.
    var term: Term
    var segment: Bytes
}
