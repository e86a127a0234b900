import Testing

@testable import Raft

/// What a quorum is, said with sets: some nodes that are more than half of each group of voters.
private struct SetOfQuorums {
    let quorums: [[Int]]

    /// All of them among nodes 0 ..< `count`, found by trying every subset.
    init(_ halves: [[Int]], count: Int) {
        quorums = subsets(of: count).filter { subset in
            halves.allSatisfy { half in half.count(where: subset.contains) * 2 > half.count }
        }
    }
}

/// All subsets of 0 ..< `count`.
private func subsets(of count: Int) -> [[Int]] {
    (0..<(1 << count)).map { bits in (0..<count).filter { bits >> $0 & 1 == 1 } }
}

/// All ways to give each of `count` nodes one of `choices` values.
private func assignments(of choices: Int, to count: Int) -> [[Int]] {
    (0..<count).reduce([[]]) { all, _ in all.flatMap { prefix in (0..<choices).map { prefix + [$0] } } }
}

@Suite("Quorums against all subsets")
struct QuorumTwinTests {
    private static let count = 4
    private static let all = subsets(of: count)

    private func node(_ place: Int) -> NodeID { NodeID(UInt64(place) + 1) }
    private func place(_ node: NodeID) -> Int { Int(node.rawValue) - 1 }
    private func membership(_ incoming: [Int], _ outgoing: [Int]) -> Membership {
        Membership(voters: incoming.map(node), outgoing: outgoing.map(node))
    }

    /// Every pair of majorities of four nodes, every acknowledgement: 20,000 cases.
    @Test func `what a quorum has reached is the best of what all members of some quorum have`() {
        let values = assignments(of: 3, to: Self.count)
        for incoming in Self.all where !incoming.isEmpty {
            for outgoing in Self.all {
                let twin = SetOfQuorums(outgoing.isEmpty ? [incoming] : [incoming, outgoing], count: Self.count)
                let membership = membership(incoming, outgoing)
                for value in values {
                    let expected = twin.quorums.map { quorum in quorum.map { value[$0] }.min()! }.max()!
                    let reached = Quorum.reached(in: membership) { UInt64(value[place($0)]) }
                    if reached != UInt64(expected) {
                        Issue.record("\(membership), \(value): \(reached) instead of \(expected)")
                        return
                    }
                }
            }
        }
    }

    @Test func `an election is won by a quorum of grants, and lost when every quorum holds a refusal`() {
        let votes = assignments(of: 3, to: Self.count)
        for incoming in Self.all where !incoming.isEmpty {
            for outgoing in Self.all {
                let twin = SetOfQuorums(outgoing.isEmpty ? [incoming] : [incoming, outgoing], count: Self.count)
                let membership = membership(incoming, outgoing)
                for vote in votes {
                    // 0: no answer, 1: granted, 2: refused.
                    let isWon = twin.quorums.contains { $0.allSatisfy { vote[$0] == 1 } }
                    let isLost = twin.quorums.allSatisfy { $0.contains { vote[$0] == 2 } }
                    let expected: Quorum.VoteOutcome = isWon ? .won : isLost ? .lost : .pending
                    let outcome = Quorum.outcome(in: membership) { [nil, true, false][vote[place($0)]] }
                    if outcome != expected {
                        Issue.record("\(membership), \(vote): \(outcome) instead of \(expected)")
                        return
                    }
                }
            }
        }
    }

    /// The ground on which membership changes stand (Raft paper, section 6).
    @Test func `quorums before and after any change have a node in common`() throws {
        var random = SplitMix64(seed: 11)
        var (direct, joint) = (0, 0)
        for _ in 0..<3000 {
            let before = MembershipTwin.randomMembership(of: Self.count, &random)
            guard let after = try? before.applying(MembershipTwin.randomChange(of: Self.count, &random)) else {
                continue
            }
            if after.isJoint { joint += 1 } else { direct += 1 }
            let (old, new) = (quorums(of: before), quorums(of: after))
            for a in old {
                for b in new where !a.contains(where: b.contains) {
                    Issue.record("from \(before) to \(after): quorums \(a) and \(b) have nobody in common")
                    return
                }
            }
        }
        #expect(direct > 300 && joint > 300, "\(direct) direct changes, \(joint) joint ones")
    }

    private func quorums(of membership: Membership) -> [[Int]] {
        let halves = [membership.voters, membership.outgoing].map { $0.map(place) }.filter { !$0.isEmpty }
        return SetOfQuorums(halves, count: Self.count).quorums
    }
}
