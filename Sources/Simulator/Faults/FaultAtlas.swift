import Raft

/// Says which nodes may lose or have damaged what their disks hold, so that the cluster must survive it: a majority of
/// voters with whole disks, who may vote, stays in every configuration that somebody may still act by: the one that a leader
/// called settled, and those that came after it. (A configuration is committed by a majority of its voters together with
/// everything before it, so what an older one's majority held is not lost with that.)
///
/// A copy that is damaged and one that is gone count alike: a node must refuse its damaged log.
enum FaultAtlas {
    static func maySpoil(_ place: Int, in world: World) -> Bool {
        let id = world.nodes[place].id
        // What is in flux is counted when it has settled.
        if world.judge.hasOpenMembershipChange { return false }
        return currentMemberships(in: world).allSatisfy { keepsMajority($0, without: [id], in: world) }
    }

    /// In order. An operator may also ask a leader whether its membership is settled.
    static func currentMemberships(in world: World) -> [Membership] {
        for node in world.nodes {
            guard let process = node.process, node.isUp, process.core.isMembershipSettled else { continue }
            world.judge.settled(through: process.view.applied, on: node.place)
        }
        let current = world.judge.currentMemberships
        return current.isEmpty ? [world.founders] : current
    }

    /// Whether the voters with whole disks are a majority, whichever half of a joint configuration is counted.
    static func keepsMajority(_ membership: Membership, without lost: [NodeID], in world: World) -> Bool {
        func isWhole(_ id: NodeID) -> Bool {
            guard !lost.contains(id), let place = world.place(of: id) else { return false }
            return world.nodes[place].isWhole && !world.nodes[place].isSuspect
        }
        return membership.isDecided(by: (membership.voters + membership.outgoing).filter(isWhole))
    }
}
