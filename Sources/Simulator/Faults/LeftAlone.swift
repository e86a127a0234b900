import Raft

/// An ambush for leaders that are left alone. They may answer reads by themselves, but not from a state behind the one of
/// those who left: these applied faster, and told their clients.
extension Nemesis {
    /// How many entries a node applies in an election timeout while it is slow.
    static let slowPagesPerTimeout: UInt64 = 8
    /// How many election timeouts it takes until the leader is alone, and a little more.
    private static let timeouts: UInt64 = 2

    /// Now and then everybody but the leader is removed, at a time when the leader applies slowly. Meanwhile clients write
    /// at somebody who leaves, and read at the leader.
    ///
    /// - Returns: whether it has begun.
    func leaveAlone() -> Bool {
        guard lonelyRandom.chance(1_000), let leader = leader(), world.nodes[leader].isUp,
            let members = world.nodes[leader].process?.view.membership
        else { return false }
        let leaving = world.nodes.filter { $0.place != leader && members.contains($0.id) }
        let voters = leaving.filter { $0.isUp && members.isVoter($0.id) }
        guard !members.isJoint, members.isVoter(world.nodes[leader].id), !voters.isEmpty else { return false }
        world.say { "n\(leader + 1) is to be left alone" }
        let timeout = world.options.core.electionTimeout
        world.appliesSlowlyUntil[leader] = world.now.advanced(by: Self.timeouts * timeout)
        membership.removeAll(leaving.map(\.id), in: world)
        let writer = lonelyRandom.pick(voters).place
        for part in 1...Self.timeouts * Self.slowPagesPerTimeout {
            later(part * timeout / Self.slowPagesPerTimeout, .farewellWrites(leader: leader, leaving: writer))
        }
        return true
    }

    func writeFarewell(_ leader: Int, _ leaving: Int) {
        if let view = world.nodes[leader].process?.view, view.role == .leader,
            view.membership.isAlone(world.nodes[leader].id)
        {
            world.marks.reach(.leftAlone)
        }
        world.workload.look(leader)
        guard world.nodes[leaving].isUp else { return }
        world.workload.flood(leaving, count: 2)
    }
}
