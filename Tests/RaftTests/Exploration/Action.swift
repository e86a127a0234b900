@testable import Raft

/// One thing that can happen to a world. Nodes and packets are given by their place, so that a path is replayed by
/// repeating its actions.
enum Action: Hashable, Sendable {
    case fireTimer(node: Int)
    case fallSilent(node: Int)
    case sync(node: Int)
    case apply(node: Int)
    case crash(node: Int, keeping: Int)
    case propose(node: Int)
    case read(node: Int)
    case change(node: Int)
    case transfer(node: Int, to: NodeID)
    case compact(node: Int)
    case deliver(packet: Int)
    /// Delivers it, and it stays under way.
    case duplicate(packet: Int)
    case drop(packet: Int)
}

extension World {
    /// What may happen next.
    func actions(in space: SearchSpace) -> [Action] {
        var actions: [Action] = []
        for place in nodes.indices { addActions(of: place, in: space, to: &actions) }
        for place in packets.indices {
            actions.append(.deliver(packet: place))
            if budget.duplicates > 0, !packets[place].isSnapshot { actions.append(.duplicate(packet: place)) }
            if packets[place].isSnapshot ? budget.lostSnapshots > 0 : budget.drops > 0 {
                actions.append(.drop(packet: place))
            }
        }
        return actions
    }

    private func addActions(of place: Int, in space: SearchSpace, to actions: inout [Action]) {
        let isLeader = nodes[place].role == .leader
        // Before its first step, every node of a symmetric world is as good as node 1.
        if space.isSymmetric, place > 0, budget == space.budget { return }
        let node = nodes[place].node
        if isLeader ? budget.heartbeats > 0 : budget.elections > 0 { actions.append(.fireTimer(node: place)) }
        if budget.silences > 0 { actions.append(.fallSilent(node: place)) }
        if !node.writes.isEmpty { actions.append(.sync(node: place)) }
        if !node.unapplied.isEmpty { actions.append(.apply(node: place)) }
        if budget.crashes > 0 {
            for count in 0...node.writes.count { actions.append(.crash(node: place, keeping: count)) }
        }
        if budget.reads > 0 { actions.append(.read(node: place)) }
        if budget.compactions > 0, node.cut != nil { actions.append(.compact(node: place)) }
        guard isLeader else { return }
        if budget.proposals > 0 { actions.append(.propose(node: place)) }
        if budget.changes > 0 { actions.append(.change(node: place)) }
        if budget.transfers > 0 {
            for voter in node.core.membership.voters where voter != node.id {
                actions.append(.transfer(node: place, to: voter))
            }
        }
    }

    /// What an action means here, in words.
    func describe(_ action: Action) -> String {
        switch action {
        case .fireTimer(let node):
            "node \(nodes[node].id): the \(nodes[node].role == .leader ? "heartbeat" : "election") timer fires"
        case .fallSilent(let node): "node \(nodes[node].id) has heard nobody for an election timeout"
        case .sync(let node): "node \(nodes[node].id): the oldest write is durable"
        case .apply(let node): "node \(nodes[node].id) applies"
        case .crash(let node, let count):
            "node \(nodes[node].id) crashes with \(count) of \(nodes[node].node.writes.count) writes done, and restarts"
        case .propose(let node): "node \(nodes[node].id) takes a proposal"
        case .read(let node): "node \(nodes[node].id) is asked for a read"
        case .change(let node): "node \(nodes[node].id) is asked for a change of the membership"
        case .transfer(let node, let target): "node \(nodes[node].id) is asked to hand over to \(target)"
        case .compact(let node): "node \(nodes[node].id) cuts its log through \(nodes[node].node.cut ?? .zero)"
        case .deliver(let packet): "arrives: \(packets[packet])"
        case .duplicate(let packet): "arrives, and will again: \(packets[packet])"
        case .drop(let packet): "is lost: \(packets[packet])"
        }
    }
}
