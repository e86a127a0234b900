import Testing

@testable import Raft

@Suite("Quorums")
struct QuorumTests {
    /// The definition: the greatest value such that more than half of the voters have reached it.
    private func naive(_ voters: [NodeID], _ values: [NodeID: UInt64]) -> UInt64 {
        let candidates = Set(values.values).union([0])
        return candidates.filter { candidate in
            voters.count { (values[$0] ?? 0) >= candidate } * 2 > voters.count
        }.max() ?? 0
    }

    @Test func `a commit index agrees with the definition, for one and for two majorities`() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<5000 {
            func someone(_ bound: UInt64) -> [NodeID] {
                (0..<random.next(below: bound)).map { _ in NodeID(random.next(below: UInt64(9))) }
            }
            let membership = Membership(voters: someone(8) + [1], outgoing: someone(6))
            var values: [NodeID: UInt64] = [:]
            for node in membership.all { values[node] = random.next(below: UInt64(6)) }
            let expected =
                membership.outgoing.isEmpty
                ? naive(membership.voters, values)
                : min(naive(membership.voters, values), naive(membership.outgoing, values))
            #expect(Quorum.reached(in: membership) { values[$0] ?? 0 } == expected)
        }
    }

    @Test(
        arguments: [
            ([], 0), ([5], 5), ([5, 3], 3), ([1, 2, 3], 2), ([7, 7, 0], 7), ([4, 3, 2, 1], 2), ([9, 8, 7, 2, 1], 7),
            ([0, 0, 0, 9, 9, 9, 9], 9),
        ] as [([UInt64], UInt64)])
    func `the value of the majority`(values: [UInt64], expected: UInt64) {
        let membership = Membership(voters: voters(9).prefix(values.count))
        #expect(Quorum.reached(in: membership) { values[Int($0.rawValue) - 1] } == expected)
    }

    @Test func `an election is won, lost or open, and agrees with the definition`() {
        var random = SplitMix64(seed: 4)
        for _ in 0..<5000 {
            let membership = Membership(
                voters: voters(1 + random.next(below: UInt64(7))),
                outgoing: random.next(below: UInt64(2)) == 0
                    ? [] : voters(3 + random.next(below: UInt64(7))).dropFirst(2))
            var votes: [NodeID: Bool] = [:]
            var tally = VoteTally()
            for node in membership.all {
                let draw = random.next(below: UInt64(3))
                if draw < 2 {
                    votes[node] = draw == 0
                    tally.record(node, granted: draw == 0)
                }
            }
            func outcome(_ voters: [NodeID]) -> Quorum.VoteOutcome {
                if voters.isEmpty { return .won }
                let yes = voters.count { votes[$0] == true }
                let open = voters.count { votes[$0] == nil }
                return yes * 2 > voters.count ? .won : (yes + open) * 2 > voters.count ? .pending : .lost
            }
            let halves = [outcome(membership.voters), outcome(membership.outgoing)]
            let expected: Quorum.VoteOutcome =
                halves.contains(.lost) ? .lost : halves.contains(.pending) ? .pending : .won
            #expect(tally.outcome(in: membership) == expected)
        }
    }

    @Test func `strangers' votes do not count, and nobody votes twice`() {
        var tally = VoteTally()
        tally.record(8, granted: true)
        tally.record(9, granted: true)
        tally.record(2, granted: false)
        tally.record(2, granted: true)
        #expect(tally.outcome(in: Membership(voters: [1, 2, 3])) == .pending)
        tally.record(1, granted: true)
        tally.record(3, granted: true)
        #expect(tally.outcome(in: Membership(voters: [1, 2, 3])) == .won)
    }
}
