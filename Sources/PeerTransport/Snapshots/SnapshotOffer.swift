package import ByteCoding
package import Raft

/// What a peer says of the snapshot that it wants to send.
package struct SnapshotOffer: Hashable, Sendable {
    package var group: GroupID
    package var from: NodeID
    /// The term in which `from` leads.
    package var term: Term
    /// As its `SnapshotSource` gave it.
    package var metadata: Bytes
    package var totalBytes: UInt64

    package init(group: GroupID, from: NodeID, term: Term, metadata: Bytes, totalBytes: UInt64) {
        self.group = group
        self.from = from
        self.term = term
        self.metadata = metadata
        self.totalBytes = totalBytes
    }
}

/// What a receiver says to an offer.
package enum SnapshotAnswer: Sendable {
    /// Send it from that offset on (0 … total): what stands before it is here already. The sink is kept until the
    /// connection ends.
    case accept(any SnapshotSink, resumeAt: UInt64)
    /// All of this snapshot is here already: for the sender as good as delivered.
    case alreadyHeld
    /// One sentence, for the sender's log. The transfer ends.
    case refuse(String)
}

/// How far a snapshot has come.
package struct SnapshotProgress: Hashable, Sendable {
    /// What the receiver's sink has taken; includes what it had before this connection.
    package var transferredBytes: UInt64
    package var totalBytes: UInt64

    package init(transferredBytes: UInt64, totalBytes: UInt64) {
        self.transferredBytes = transferredBytes
        self.totalBytes = totalBytes
    }
}
