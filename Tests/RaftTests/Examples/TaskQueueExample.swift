import ByteCoding
import Raft

/// Three nodes in one process. Messages between them are values in an array, time is a number.
struct TaskQueueExample {
    private(set) var replicas: [Replica<TaskQueue>]
    /// Nodes that nothing reaches, and that nobody hears.
    var isolated: Set<NodeID> = []
    private var network: [Replica<TaskQueue>.Parcel] = []
    private var now = MonotonicTime.zero
    private var proposals: UInt64 = 0

    init(configure: (inout Configuration) -> Void = { _ in }) {
        let founders: [NodeID] = [NodeID(1), NodeID(2), NodeID(3)]
        replicas = founders.map { Replica(node: $0, machine: TaskQueue(founders: founders), configure: configure) }
    }

    /// The place of the node that leads in the latest term, once there is one that can be reached.
    var leader: Int? {
        replicas.indices.filter { replicas[$0].core.role == .leader && !isolated.contains(id($0)) }
            .max { replicas[$0].core.term < replicas[$1].core.term }
    }

    /// Proposes a command to the leader, as soon as there is one, and waits for its outcome there.
    mutating func execute(_ command: String) -> Replica<TaskQueue>.Outcome {
        run { $0.leader != nil }
        guard let leader else { return .withoutEffect }
        proposals += 1
        let token = ProposalToken(proposals)
        step(leader, .proposed([Proposal(token: token, payload: Bytes(command))]))
        run { $0.replicas[leader].outcomes[token] != nil }
        return replicas[leader].outcomes[token] ?? .unknown
    }

    /// Delivers messages and lets time pass until something is so.
    mutating func run(until isSo: (Self) -> Bool) {
        while !isSo(self) {
            if network.isEmpty { pass() } else { deliver(network.removeFirst()) }
        }
    }

    mutating func compact() {
        for place in replicas.indices { network += replicas[place].compact(at: now) }
    }

    private mutating func pass() {
        now = max(now, replicas.map(\.core.nextDeadline).min() ?? now)
        for place in replicas.indices where replicas[place].core.nextDeadline <= now { step(place, .timeAdvanced) }
    }

    private mutating func deliver(_ parcel: Replica<TaskQueue>.Parcel) {
        switch parcel {
        case .message(let message):
            guard passes(message.from, message.to) else { return }
            network += replicas[place(message.to)].receive(parcel, at: now)
        case .snapshot(_, let meta, let sender, let receiver, _):
            let passes = passes(sender, receiver)
            if passes { network += replicas[place(receiver)].receive(parcel, at: now) }
            step(place(sender), .snapshotReported(to: receiver, passes ? .delivered(meta.index) : .failed))
        }
    }

    private func passes(_ sender: NodeID, _ receiver: NodeID) -> Bool {
        !isolated.contains(sender) && !isolated.contains(receiver)
    }

    private mutating func step(_ place: Int, _ input: Input) { network += replicas[place].give(input, at: now) }

    private func id(_ place: Int) -> NodeID { NodeID(UInt64(place) + 1) }
    private func place(_ node: NodeID) -> Int { Int(node.rawValue) - 1 }
}
