@testable import Raft

/// A space, and what a search of it must come across: one that never gets to what it is about proves nothing.
struct Case: Sendable, CustomStringConvertible {
    var space: SearchSpace
    var mustReach: Explorer.Reached
    var description: String { space.title }
}

extension Case {
    /// - Parameter isLong: more may happen, and the searches go on until everything was seen or `states` were.
    static func catalogue(isLong: Bool, states: Int) -> [Case] {
        [
            elections, replication, lostAcknowledgements, figureEight, divergedLogs, reads, preVote, transfer,
            learner, jointConsensus, halfKnownJoint, leaderRemoval, secondRemoval, snapshots,
            wipedNode,
        ].map { make in
            var made = make(isLong)
            made.space.bounds.states = states
            if isLong { made.space.bounds.depth = 60 }
            return made
        }
    }

    // MARK: Elections and replication

    /// Any two elections among three new nodes, with a crash at any moment (Raft paper, section 5.2).
    static func elections(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "elections and a crash", start: .new(3), budget: .init(elections: isLong ? 3 : 2, crashes: 1),
            bounds: .init(depth: 8, term: 3, entries: 3, packets: 6))
        space.losesHeartbeats = true
        space.isSymmetric = true
        return Case(space: space, mustReach: .init(leaderships: 1))
    }

    /// A leader with a proposal, and another that takes over (section 5.3).
    static func replication(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "replication and a new leader", start: .new(3),
            budget: .init(elections: isLong ? 2 : 1, proposals: isLong ? 2 : 1, duplicates: 1, drops: isLong ? 1 : 0),
            bounds: .init(depth: 7, term: 3, entries: 4, packets: 6))
        space.prepare = { $0.elect(1, in: $1) }
        space.syncsAtOnce = true
        space.losesHeartbeats = true
        return Case(
            space: space,
            mustReach: .init(leaderships: 2, committed: 3, marks: isLong ? [.proposalLost, .truncated] : [.truncated]))
    }

    /// A leader with a proposal, and crashes that lose what was written and not synced.
    static func lostAcknowledgements(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "crashes that lose writes", start: .new(3),
            budget: .init(elections: 1, proposals: 1, crashes: isLong ? 2 : 1),
            bounds: .init(depth: 7, term: 2, entries: 3, packets: 6))
        space.prepare = { $0.elect(1, in: $1) }
        space.losesHeartbeats = true
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 2))
    }

    /// Figure 8 of the paper, for three nodes: an entry of term 2 gets to a majority in term 4, and may yet be
    /// overwritten by one of term 3 (section 5.4.2).
    static func figureEight(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "figure 8",
            start: [
                .log(terms: [1, 2], term: 3), .log(terms: [1], term: 3, vote: 3),
                .log(terms: [1, 3], term: 4, vote: 3),
            ],
            committed: 1, budget: .init(elections: isLong ? 3 : 2, proposals: isLong ? 1 : 0),
            bounds: .init(depth: 9, term: 6, entries: 5, packets: 5))
        space.configure = {
            plain(&$0)
            // One entry a message, so that the old one travels alone.
            $0.maxAppendBytes = 1
        }
        space.syncsAtOnce = true
        space.losesHeartbeats = true
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 3, marks: [.truncated]))
    }

    /// Logs that contradict each other, as in figure 7, and late messages of former leaders.
    static func divergedLogs(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "diverged logs",
            start: [
                .log(terms: [1, 1, 3], term: 3, vote: 1), .log(terms: [1, 1], term: 3, vote: 1),
                .log(terms: [1, 2, 2], term: 3),
            ],
            committed: 1, budget: .init(elections: isLong ? 2 : 1, proposals: 1, duplicates: 1),
            bounds: .init(depth: 9, term: 5, entries: 5, packets: 6))
        space.syncsAtOnce = true
        space.losesHeartbeats = true
        return Case(space: space, mustReach: .init(leaderships: 1, committed: 4, marks: [.truncated]))
    }

    // MARK: Reads, PreVote, transfer

    /// A leader that was replaced and does not know it is asked for reads (thesis, section 6.4).
    static func reads(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "reads and a new leader", start: .new(3),
            budget: .init(elections: 1, heartbeats: isLong ? 1 : 0, proposals: isLong ? 1 : 0, reads: isLong ? 2 : 1),
            bounds: .init(depth: 6, term: 2, entries: 3, packets: 8))
        space.prepare = { $0.elect(1, in: $1) }
        space.syncsAtOnce = true
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 2, marks: [.readAnswered]))
    }

    /// Nodes that ask before they campaign, and protect a leader that they hear (thesis, sections 6.2 and 9.6).
    static func preVote(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "PreVote and CheckQuorum", start: .new(3),
            budget: .init(elections: 2, heartbeats: isLong ? 1 : 0, crashes: isLong ? 1 : 0, silences: 2),
            bounds: .init(depth: 9, term: 3, entries: 3, packets: 7))
        space.prepare = { $0.elect(1, in: $1) }
        space.configure = { _ in }
        space.syncsAtOnce = true
        space.losesHeartbeats = !isLong
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 2))
    }

    /// Leadership is handed over while somebody else campaigns (thesis, section 3.10).
    static func transfer(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "transfer of leadership", start: .new(3),
            budget: .init(
                elections: isLong ? 2 : 1, heartbeats: 1, proposals: 1, crashes: isLong ? 1 : 0, transfers: 1),
            bounds: .init(depth: 6, term: 4, entries: 4, packets: 6))
        space.prepare = { $0.elect(1, in: $1) }
        space.syncsAtOnce = true
        space.losesHeartbeats = true
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 2, marks: [.handedOver]))
    }

    // MARK: Membership

    /// Two nodes get a third, first as a learner (paper, section 6).
    static func learner(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "a learner becomes a voter", start: .new(2) + [.joining(2)],
            budget: .init(elections: isLong ? 2 : 1, crashes: isLong ? 1 : 0, changes: 2),
            bounds: .init(depth: 11, term: 3, entries: 5, packets: 6))
        space.prepare = { $0.elect(1, in: $1) }
        space.changes = [MembershipChange([.addLearner(3)]), MembershipChange([.addVoter(3)])]
        space.syncsAtOnce = true
        space.appliesAtOnce = !isLong
        space.losesHeartbeats = true
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 3, marks: [.membershipChanged]))
    }

    /// One of two nodes is replaced by a third through a joint configuration that is left by itself.
    static func jointConsensus(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "joint consensus", start: .new(2) + [.joining(2)],
            budget: .init(elections: isLong ? 2 : 1, crashes: isLong ? 1 : 0, changes: 1),
            bounds: .init(depth: 14, term: 3, entries: 5, packets: 6))
        space.prepare = { $0.elect(1, in: $1) }
        space.changes = [MembershipChange([.addVoter(3), .remove(2)])]
        space.syncsAtOnce = true
        space.appliesAtOnce = !isLong
        space.losesHeartbeats = true
        return Case(
            space: space,
            mustReach: .init(leaderships: 2, committed: 3, marks: [.jointEntered, .membershipChanged]))
    }

    /// Two voters become three, one of them as before. The new ones know of the joint configuration, the old ones do not:
    /// one never heard of it, the other has forgotten it in a crash.
    static func halfKnownJoint(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "joint consensus that the old ones do not know of", start: .new(2) + [.joining(2), .joining(2)],
            budget: .init(elections: 2, proposals: isLong ? 1 : 0, crashes: isLong ? 1 : 0, changes: 1),
            bounds: .init(depth: 8, term: 3, entries: 6, packets: 8))
        space.changes = [MembershipChange([.addVoter(3), .addVoter(4), .remove(2)])]
        space.losesHeartbeats = true
        space.prepare = { $0.forgetJoint(in: $1) }
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 2, marks: isLong ? [.jointEntered] : []))
    }

    /// A leader is asked to remove itself, and somebody else to undo it (Ongaro's bug of 2015 was one of these).
    static func leaderRemoval(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "removal of the leader", start: .new(3),
            budget: .init(elections: isLong ? 2 : 1, crashes: isLong ? 1 : 0, changes: 2),
            bounds: .init(depth: 7, term: 4, entries: 5, packets: 6))
        space.prepare = { $0.elect(1, in: $1) }
        space.changes = [MembershipChange([.remove(1)]), MembershipChange([.remove(2)])]
        space.syncsAtOnce = true
        space.appliesAtOnce = false
        space.losesHeartbeats = true
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 2, marks: [.membershipChanged]))
    }

    /// Two of three were removed, one after the other. The one that is left decides alone, while the first knows of
    /// neither removal, and the second may crash: the memberships of before and after have no quorum in common, so that
    /// all depends on what those who hold the second change know of the first.
    static func secondRemoval(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "two removals in a row", start: .new(3),
            budget: .init(elections: 2, proposals: 1, crashes: isLong ? 2 : 1, changes: 2),
            bounds: .init(depth: 6, term: 3, entries: 6, packets: 6))
        space.changes = [MembershipChange([.remove(1)]), MembershipChange([.remove(2)])]
        space.syncsAtOnce = true
        space.losesHeartbeats = true
        space.prepare = { $0.removeTwo(in: $1) }
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 4, marks: [.membershipChanged]))
    }

    // MARK: Snapshots, lost disks

    /// A follower needs what is cut off (paper, section 7).
    static func snapshots(isLong: Bool) -> Case {
        var space = SearchSpace(
            title: "snapshots", start: .new(3),
            budget: .init(
                elections: 1, heartbeats: isLong ? 2 : 1, proposals: isLong ? 1 : 0, crashes: 1, compactions: 1,
                lostSnapshots: isLong ? 1 : 0),
            bounds: .init(depth: 7, term: 3, entries: 5, packets: 6))
        space.configure = {
            plain(&$0)
            $0.maxRetainedEntries = 1
        }
        space.prepare = { $0.leaveBehind(3, in: $1) }
        return Case(space: space, mustReach: .init(leaderships: 2, committed: 3, marks: [.snapshotInstalled]))
    }

    /// A node has lost its disk, and with it one of the two copies of what is committed. It has no vote for a while.
    static func wipedNode(isLong: Bool) -> Case {
        var wiped = RestoredState.new(3)[2]
        wiped.mayVote = false
        var space = SearchSpace(
            title: "a wiped node",
            start: [.log(terms: [1, 1], term: 1, vote: 1), .log(terms: [1], term: 1, vote: 1), wiped],
            committed: 2, budget: .init(elections: isLong ? 3 : 2, proposals: isLong ? 1 : 0, crashes: isLong ? 1 : 0),
            bounds: .init(depth: 10, term: 4, entries: 5, packets: 6))
        space.startsDamaged = true
        space.syncsAtOnce = true
        space.losesHeartbeats = true
        return Case(space: space, mustReach: .init(leaderships: 1, committed: 3))
    }
}

extension [RestoredState] {
    /// So many nodes that know of each other and have seen nothing.
    static func new(_ count: UInt64) -> [RestoredState] { RestoredState.new(count) }
}

extension RestoredState {
    fileprivate static func new(_ count: UInt64) -> [RestoredState] {
        (0..<count).map { _ in RestoredState(membership: Membership(voters: voters(count))) }
    }

    /// A node that waits to be added to a group with so many founders.
    fileprivate static func joining(_ founders: UInt64) -> RestoredState {
        RestoredState(membership: Membership(voters: voters(founders)))
    }
}

extension World {
    /// A node is elected, everything that this leads to has happened, and nothing is under way.
    mutating func elect(_ node: NodeID, in space: SearchSpace) {
        let wanted = place(of: node)
        // Nobody hears of a leader that could be protected.
        perform(.fireTimer(node: wanted), in: space)
        calmDown(in: space)
        precondition(nodes[wanted].node.core.role == .leader, "node \(node) should lead")
    }

    /// Node 3 leads, and has removed 1, which heard nothing of it, and 2.
    mutating func removeTwo(in space: SearchSpace) {
        elect(3, in: space)
        for _ in space.changes {
            perform(.change(node: 2), in: space)
            calmDown(in: space, without: 0)
        }
    }

    /// Node 1 has led into a joint configuration and told 3 and 4, but not 2; it has crashed since, before anything that
    /// followed was on its disk.
    mutating func forgetJoint(in space: SearchSpace) {
        elect(1, in: space)
        perform(.change(node: 0), in: space)
        perform(.sync(node: 0), in: space)
        perform(.deliver(packet: packets.firstIndex { $0.to == 2 }!), in: space)
        perform(.sync(node: 1), in: space)
        calmDown(in: space, without: 1, unsynced: 0)
        perform(.crash(node: 0, keeping: 0), in: space)
    }

    /// Node 1 leads and has cut off what this node needs.
    mutating func leaveBehind(_ node: NodeID, in space: SearchSpace) {
        let absent = place(of: node)
        perform(.fireTimer(node: 0), in: space)
        calmDown(in: space, without: absent)
        for _ in 0..<2 {
            perform(.propose(node: 0), in: space)
            calmDown(in: space, without: absent)
        }
        perform(.fireTimer(node: 0), in: space)
        calmDown(in: space, without: absent)
        perform(.compact(node: 0), in: space)
    }
}
