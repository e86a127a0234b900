import ByteCoding

@testable import Raft

/// After the storm: every fault ends, and the group must heal by itself.
extension Chaos {
    mutating func calm() {
        isStormy = false
        cut = []
        for place in nodes.indices {
            if !nodes[place].isUp { restart(place) }
            with(place) { $0.give(.diskFull(false)) }
        }
        converge()
        // New entries up to every index where a proposal is open settle what became of it.
        while checker.failure == nil, let leader = leaderPlace, nodes[leader].test.core.commitIndex < lastOpenProposal {
            propose(at: leader)
            converge()
        }
        // Requests for reads that were lost fail after an election timeout.
        for _ in 0..<6 { calmRound() }
        checker.checkLogs(nodes.map(\.test))
        for node in members where checker.failure == nil {
            let (proposals, reads) = (node.ledger.proposals.count, node.ledger.reads.count)
            if proposals + reads > 0 {
                checker.fail("node \(node.test.id) never resolved \(proposals) proposals, \(reads) reads")
            }
        }
    }

    private mutating func converge() {
        var rounds = 0
        repeat {
            calmRound()
            rounds += 1
        } while checker.failure == nil && !isConverged && rounds < 400
        if checker.failure == nil, !isConverged {
            checker.fail("no agreement after the storm: \(nodes.map(describe))")
        }
    }

    private mutating func calmRound() {
        stopStrangers()
        pass(.milliseconds(20))
        for _ in 0..<8 {
            deliverMany()
            let arriving = snapshots
            snapshots = []
            for underWay in arriving { deliverSnapshot(underWay) }
            for place in nodes.indices {
                with(place) { $0.sync() }
                with(place) { $0.applyAll() }
                with(place) { $0.answerFetches() }
                install(place)
            }
        }
    }

    /// Whoever was removed is switched off, as an operator would: it may never hear that it was. Members run.
    private mutating func stopStrangers() {
        guard let leader = leaderPlace else { return }
        let core = nodes[leader].test.core
        guard core.log.term(at: core.appliedIndex) == core.term else { return }
        for place in nodes.indices {
            let isMember = core.membership.contains(nodes[place].test.id)
            if nodes[place].isUp, !isMember { stop(place) }
            if !nodes[place].isUp, isMember { restart(place) }
        }
    }

    private var members: [Node] {
        guard let leader = leaderPlace else { return [] }
        let membership = nodes[leader].test.core.membership
        return nodes.filter { membership.contains($0.test.id) }
    }

    private var lastOpenProposal: LogIndex {
        members.flatMap(\.ledger.proposals.values).map(\.index).max() ?? .zero
    }

    private var isConverged: Bool {
        guard let leader = leaderPlace else { return false }
        let core = nodes[leader].test.core
        return core.commitIndex == core.lastIndex && core.log.term(at: core.commitIndex) == core.term
            && members.allSatisfy {
                $0.isUp && $0.test.core.appliedIndex == core.lastIndex && $0.test.core.leader == core.leader
                    && $0.test.core.membership == core.membership
            }
    }

    private func describe(_ node: Node) -> String {
        let status = node.test.status
        let (voters, learners) = (status.membership.voters, status.membership.learners)
        return """
            [\(status.node)\(node.isUp ? "" : " down") \(status.role.rawValue) term \(status.term) \
            commit \(status.commitIndex) last \(status.lastIndex) applied \(status.appliedIndex) \
            voters \(voters) outgoing \(status.membership.outgoing) learners \(learners) \
            peers \(status.peers.map { "\($0.node):\($0.mode.rawValue) \($0.matchIndex)" })]
            """
    }
}
