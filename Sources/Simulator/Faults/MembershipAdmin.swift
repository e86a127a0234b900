import ByteCoding
import Raft

/// Changes who belongs to the group, as operators do: add a learner and promote it when it has caught up, remove, replace,
/// several at once; sometimes at a bad moment, or what can't be.
struct MembershipAdmin {
    /// More machines than this never exist.
    private static let maxNodes = 12

    private var random: RandomStream
    /// Learners that a leader called caught up and that are no voters yet.
    private var toPromote: [NodeID] = []
    /// The membership that was seen last, on whichever node.
    private(set) var latest: Membership?
    private var nextToken: UInt64 = 1 << 40

    init(random: RandomStream) { self.random = random }

    mutating func promote(_ learner: NodeID) { if !toPromote.contains(learner) { toPromote.append(learner) } }

    mutating func saw(_ membership: Membership) {
        latest = membership
        toPromote.removeAll { membership.voters.contains($0) || !membership.learners.contains($0) }
    }

    /// What goes on all the time: promotions are asked for until they have happened.
    mutating func act(in world: World) {
        if let learner = toPromote.first, random.chance(7_000) {
            propose(MembershipChange([.addVoter(learner)]), in: world)
        } else if random.chance(3_000) {
            replaceGone(in: world)
        }
    }

    /// A member whose machine is gone makes room for a new one.
    private mutating func replaceGone(in world: World) {
        guard let membership = leadersMembership(in: world), !membership.isJoint,
            let gone = membership.all.first(where: { isGone($0, in: world) })
        else { return }
        var steps: [MembershipChange.Step] = membership.voters == [gone] ? [] : [.remove(gone)]
        if world.nodes.count < Self.maxNodes {
            let node = world.addNode()
            world.start(node.place)
            world.say { "n\(node.id) replaces n\(gone)" }
            steps.append(.addLearner(node.id))
        }
        if !steps.isEmpty { propose(MembershipChange(steps), in: world) }
    }

    private func leadersMembership(in world: World) -> Membership? {
        world.nemesis.leader().flatMap { world.nodes[$0].process?.view.membership }
    }

    private func isGone(_ id: NodeID, in world: World) -> Bool {
        world.place(of: id).map { world.nodes[$0].condition == .gone || world.nodes[$0].isWiped } ?? true
    }

    /// Something new.
    mutating func change(in world: World) {
        guard let membership = leadersMembership(in: world) else { return }
        if membership.isJoint, !membership.leavesAutomatically { return propose(.leaveJoint, in: world) }
        var steps: [MembershipChange.Step] = []
        for _ in 0..<random.integer(in: 1...3) {
            if let step = drawStep(membership, in: world) { steps.append(step) }
            if random.chance(6_000) { break }
        }
        guard !steps.isEmpty else { return }
        let transition: MembershipChange.Transition =
            switch random.below(5) {
            case 0: .jointImplicit
            case 1: .jointExplicit
            default: .automatic
            }
        propose(MembershipChange(steps, transition: transition), in: world)
    }

    mutating func removeAll(_ nodes: [NodeID], in world: World) {
        propose(MembershipChange(nodes.map { .remove($0) }), in: world)
    }

    private mutating func drawStep(_ membership: Membership, in world: World) -> MembershipChange.Step? {
        let members = membership.all
        switch random.below(6) {
        case 0, 1:
            guard world.nodes.count < Self.maxNodes, members.count < 7 else { return nil }
            let node = world.addNode()
            world.start(node.place)
            world.say { "n\(node.id) is new" }
            return .addLearner(node.id)
        case 2:
            let node = random.pick(members)
            return membership.voters.count > 1 || random.chance(500) ? .remove(node) : nil
        case 3: return .addLearner(random.pick(members))
        case 4: return membership.learners.isEmpty ? nil : .addVoter(random.pick(membership.learners))
        default: return .addVoter(random.pick(members))
        }
    }

    private mutating func propose(_ change: MembershipChange, in world: World) {
        // Operators don't take away the majority that still works.
        if let result = try? leadersMembership(in: world)?.applying(change),
            !FaultAtlas.keepsMajority(result, without: [], in: world)
        {
            return
        }
        let asked = random.chance(9_000) ? world.nemesis.leader() : random.below(world.nodes.count)
        guard let asked, world.nodes[asked].isUp, let process = world.nodes[asked].process else { return }
        nextToken += 1
        world.say { "n\(asked + 1) is to change the membership: \(change.steps) \(change.transition)" }
        process.give(.membershipChangeProposed(ProposalToken(nextToken), change))
    }
}
