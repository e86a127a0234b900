package import ByteCoding
package import Raft

/// A leader wants to know what the receiver holds of a part of the state, at the moment when it has applied exactly up to
/// `index`: the last index of the leader's log when it asks, so that nobody can have applied more.
package struct ComparisonRequest: Hashable, Sendable {
    package enum Detail: UInt8, Sendable {
        /// A digest for each chunk.
        case digests = 0
        /// Every key, with a digest of its value.
        case keys = 1
    }

    package var group: GroupID
    package var from: NodeID
    package var to: NodeID
    /// The leader's.
    package var term: Term
    /// Counts what was asked in that term, from 1.
    package var round: UInt64
    package var index: LogIndex
    package var detail: Detail
    /// Of keys and values together; what is reached by the last pair counts.
    package var maxBytes: UInt64
    /// A chunk ends with the pair that reaches so many.
    package var chunkBytes: UInt32
    /// As they are stored: `first <= key < end`.
    package var first: Bytes
    package var end: Bytes
    /// What the leader found in earlier rounds, in a sentence; empty: nothing. The next leader inherits it.
    package var alarm: String

    /// So much of a sentence is told.
    package static let maxAlarmBytes = 4 << 10

    package init(
        group: GroupID, from: NodeID, to: NodeID, term: Term, round: UInt64, index: LogIndex, detail: Detail,
        maxBytes: UInt64, chunkBytes: UInt32, first: Bytes, end: Bytes, alarm: String
    ) {
        self.group = group
        self.from = from
        self.to = to
        self.term = term
        self.round = round
        self.index = index
        self.detail = detail
        self.maxBytes = maxBytes
        self.chunkBytes = chunkBytes
        self.first = first
        self.end = end
        self.alarm = alarm
    }
}
