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

    /// Whether a founder may come back under its id with an empty disk.
    ///
    /// Beyond that the cluster can do without it, another founder must have kept its first disk, with entries on it: an
    /// empty founder waits until it has met all others, and one with entries tells it that the cluster is not new. If all
    /// of them are wiped, nothing tells them from founders that have never been started: they elect one of them, and are
    /// a second cluster beside the members that joined later. No rule of theirs could prevent that, because they are
    /// never in contact with those; the operator's must.
    static func mayWipe(_ place: Int, in world: World) -> Bool {
        maySpoil(place, in: world)
            && world.founders.voters.indices.contains { other in
                other != place && !world.nodes[other].isWiped && world.judge.hasStoredEntries(other)
            }
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
