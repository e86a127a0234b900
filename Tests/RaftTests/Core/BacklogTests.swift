import ByteCoding
import Raft
import Testing

/// A state machine that cannot keep up with the log must not fill the memory: entries stay there until they are applied.
@Suite("A state machine that lags")
struct BacklogTests {
    private static let limit = 2 << 20
    private let payload = Bytes(String(repeating: "x", count: 100_000))

    private func group() -> Cluster {
        var group = Cluster(3) { $0.maxUnappliedBytes = Self.limit }
        group.elect(1)
        group.run(for: .milliseconds(150))
        return group
    }

    @Test func `a leader takes proposals again when it has applied what is committed`() {
        var group = group()
        group.with(1) { $0.appliesAtOnce = false }
        var token: UInt64 = 1
        while group[1].core.acceptsProposals, token < 100 {
            group.propose(1, payload, token: token)
            group.settle()
            token += 1
        }
        #expect((20...30).contains(token), "\(token) of 100 kB")
        group.propose(1, payload, token: 999)
        #expect(group[1].proposalEvents.last == "refused 999 \(ProposalRefusal.unappliedLimit)")
        group.with(1) { $0.applyAll() }
        #expect(group[1].core.acceptsProposals)
    }

    @Test func `a follower that lags takes no entries, the others go on, and it catches up`() {
        var group = group()
        group.with(3) { $0.appliesAtOnce = false }
        for token in 1...100 as ClosedRange<UInt64> {
            group.propose(1, payload, token: token)
            group.run(for: .milliseconds(5))
        }
        #expect(group[1].core.commitIndex > 100)
        let held = group[3].core.lastIndex.distance(from: group[3].core.appliedIndex)
        #expect(held < 40, "\(held) entries in memory")
        group.with(3) { node in
            node.applyAll()
            node.appliesAtOnce = true
        }
        group.run(for: .seconds(2))
        #expect(group[3].core.appliedIndex == group[1].core.appliedIndex)
    }
}
