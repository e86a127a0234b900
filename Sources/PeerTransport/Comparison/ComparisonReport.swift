package import ByteCoding
package import Raft

/// The answer to a `ComparisonRequest`.
package struct ComparisonReport: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        /// The sender was past that index, or has installed a snapshot since.
        case missed
        /// One for each chunk.
        case digests([Digest])
        /// Ascending.
        case keys([Key])
    }

    /// Of the pairs of one chunk.
    package struct Digest: Hashable, Sendable {
        package var hash: UInt64
        package var pairs: UInt32

        package init(hash: UInt64, pairs: UInt32) {
            self.hash = hash
            self.pairs = pairs
        }
    }

    package struct Key: Hashable, Sendable {
        /// As it is stored.
        package var key: Bytes
        /// Of the pair.
        package var hash: UInt64

        package init(key: Bytes, hash: UInt64) {
            self.key = key
            self.hash = hash
        }
    }

    package var group: GroupID
    package var from: NodeID
    package var to: NodeID
    package var term: Term
    package var round: UInt64
    /// Of the entry at the index asked for, as the sender applied it.
    package var appliedTerm: Term
    package var content: Content
    /// Where there is more of what was asked for; nil: the end was reached.
    package var next: Bytes?

    package init(
        group: GroupID, from: NodeID, to: NodeID, term: Term, round: UInt64, appliedTerm: Term, content: Content,
        next: Bytes?
    ) {
        self.group = group
        self.from = from
        self.to = to
        self.term = term
        self.round = round
        self.appliedTerm = appliedTerm
        self.content = content
        self.next = next
    }
}
