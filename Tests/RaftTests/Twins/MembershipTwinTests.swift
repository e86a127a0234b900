import Testing

@testable import Raft

/// A change of the membership, said without order: each node has a wish, and the last one counts.
enum MembershipTwin {
    private enum Role { case voter, learner, none }

    /// - Returns: `nil` when the change does not fit.
    static func applying(_ change: MembershipChange, to old: Membership) -> Membership? {
        guard !old.voters.isEmpty else { return nil }
        if change.steps.isEmpty, change.transition == .automatic { return leavingJoint(old) }
        guard old.outgoing.isEmpty, !change.steps.contains(where: { $0.node == 0 }) else { return nil }
        var roles: [NodeID: Role] = [:]
        for node in old.voters { roles[node] = .voter }
        for node in old.learners { roles[node] = .learner }
        for step in change.steps {
            switch step {
            case .addVoter(let node): roles[node] = .voter
            case .addLearner(let node): roles[node] = .learner
            case .remove(let node): roles[node] = Role.none
            }
        }
        let voters = Set(roles.keys.filter { roles[$0] == .voter })
        let learners = Set(roles.keys.filter { roles[$0] == .learner })
        guard !voters.isEmpty else { return nil }
        if change.transition == .automatic, voters.symmetricDifference(old.voters).count <= 1 {
            return Membership(voters: voters, learners: learners)
        }
        return Membership(
            voters: voters, learners: learners.subtracting(old.voters), outgoing: old.voters,
            learnersNext: learners.intersection(old.voters), leavesAutomatically: change.transition != .jointExplicit)
    }

    private static func leavingJoint(_ old: Membership) -> Membership? {
        old.outgoing.isEmpty ? nil : Membership(voters: old.voters, learners: old.learners + old.learnersNext)
    }

    // MARK: Chance

    /// A membership that is not joint, of nodes 1...`count`.
    static func randomMembership(of count: Int, _ random: inout SplitMix64) -> Membership {
        var (voters, learners): ([NodeID], [NodeID]) = ([], [])
        for node in 1...UInt64(count) {
            switch random.next(below: UInt64(4)) {
            case 0, 1: voters.append(NodeID(node))
            case 2: learners.append(NodeID(node))
            default: break
            }
        }
        return Membership(voters: voters.isEmpty ? [1] : voters, learners: voters.isEmpty ? [] : learners)
    }

    static func randomChange(of count: Int, _ random: inout SplitMix64) -> MembershipChange {
        let steps = (0..<random.next(below: UInt64(4))).map { _ -> MembershipChange.Step in
            let node = NodeID(1 + random.next(below: UInt64(count)))
            switch random.next(below: UInt64(3)) {
            case 0: return .addVoter(node)
            case 1: return .addLearner(node)
            default: return .remove(node)
            }
        }
        return MembershipChange(
            steps, transition: [.automatic, .jointImplicit, .jointExplicit][Int(random.next(below: UInt64(3)))])
    }
}

@Suite("Membership changes against a map of wishes")
struct MembershipTwinTests {
    @Test func `any history of changes leads to the same memberships`() {
        var random = SplitMix64(seed: 21)
        var (taken, refused, joint) = (0, 0, 0)
        for _ in 0..<500 {
            var membership = MembershipTwin.randomMembership(of: 6, &random)
            for _ in 0..<20 {
                let change = MembershipTwin.randomChange(of: 6, &random)
                let expected = MembershipTwin.applying(change, to: membership)
                let result = try? membership.applying(change)
                if result != expected {
                    Issue.record(
                        """
                        \(change) on \(membership): \(result.map { "\($0)" } ?? "refused") instead of \
                        \(expected.map { "\($0)" } ?? "refused")
                        """)
                    return
                }
                guard let result else {
                    refused += 1
                    continue
                }
                taken += 1
                if result.isJoint { joint += 1 }
                checkForm(result)
                membership = result
            }
        }
        #expect(taken > 2000 && refused > 1000 && joint > 500, "\(taken) taken, \(refused) refused, \(joint) joint")
    }

    /// What the types' documentation promises of every membership.
    private func checkForm(_ membership: Membership) {
        for nodes in [membership.voters, membership.learners, membership.outgoing, membership.learnersNext] {
            #expect(nodes == Set(nodes).sorted())
        }
        #expect(!membership.voters.isEmpty)
        #expect(Set(membership.learners).isDisjoint(with: membership.voters + membership.outgoing))
        #expect(Set(membership.learnersNext).isSubset(of: membership.outgoing))
        #expect(Set(membership.learnersNext).isDisjoint(with: membership.voters))
        #expect(membership.isJoint || membership.learnersNext.isEmpty && !membership.leavesAutomatically)
    }

    @Test func `node 0 is nobody, and a membership that is not known cannot change`() {
        for step in [MembershipChange.Step.addVoter(0), .addLearner(0), .remove(0)] {
            #expect(throws: MembershipChangeError.self) {
                try Membership(voters: [1]).applying(MembershipChange([step]))
            }
        }
        #expect(throws: MembershipChangeError.self) {
            try Membership(voters: []).applying(MembershipChange([.addVoter(1)]))
        }
    }
}
