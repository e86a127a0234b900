import Raft
import Testing

extension TestNode {
    /// A node of `[1, 2, 3]` (or others) that has just won an election in the term after its log's; nothing but that
    /// election has happened, and what it said is taken.
    static func leader(
        restored: RestoredState = RestoredState(membership: Membership(voters: [1, 2, 3])), syncsAtOnce: Bool = true,
        configure: (inout Configuration) -> Void = { _ in }
    ) -> TestNode {
        var node = TestNode(1, restored: restored, configure: configure)
        node.becomeLeader()
        node.syncsAtOnce = syncsAtOnce
        _ = node.takeMessages()
        _ = node.takeEvents()
        return node
    }

    /// Wins an election with the votes of all others.
    mutating func becomeLeader() {
        timeOut()
        let others = core.membership.voters.filter { $0 != id }
        if configuration.preVote {
            for other in others where core.role == .preCandidate {
                receive(from: other, term: core.term.next, .preVoteResponse(granted: true))
            }
        }
        for other in others where core.role == .candidate {
            receive(from: other, term: core.term, .voteResponse(granted: true))
        }
        #expect(core.role == .leader)
    }

    mutating func follow(_ leader: NodeID, term: Term) {
        receive(from: leader, term: term, .heartbeat(commit: 0, round: 0, truncatable: 0))
        _ = takeMessages()
    }

    var proposalEvents: [String] {
        events.compactMap {
            switch $0 {
            case .proposalAccepted(let token, let id): "accepted \(token.rawValue) \(id)"
            case .proposalRefused(let token, let refusal): "refused \(token.rawValue) \(refusal)"
            case .proposalResolved(let token, .committed(let id)): "committed \(token.rawValue) \(id)"
            case .proposalResolved(let token, .lost): "lost \(token.rawValue)"
            case .proposalResolved(let token, .unknown): "unknown \(token.rawValue)"
            default: nil
            }
        }
    }

    var readEvents: [String] {
        events.compactMap {
            switch $0 {
            case .readReady(let token, let index): "ready \(token.count) at \(index)"
            case .readFailed(let token): "failed \(token.count)"
            default: nil
            }
        }
    }

    var transferEvents: [TransferOutcome] {
        events.compactMap { if case .transferEnded(let outcome) = $0 { outcome } else { nil } }
    }

    /// Up to where the membership was said to be settled, each time.
    var settled: [LogIndex] {
        events.compactMap { if case .membershipSettled(let index) = $0 { index } else { nil } }
    }

    var caughtUpLearners: [NodeID] {
        events.compactMap { if case .learnerCaughtUp(let node) = $0 { node } else { nil } }
    }

    var roleChanges: [RoleChange] {
        events.compactMap { if case .roleChanged(let change) = $0 { change } else { nil } }
    }
}

func read(_ count: UInt64) -> ReadToken { ReadToken(incarnation: 1, count: count) }
