import ByteCoding
import Raft
import Testing

/// A group of test nodes and a network between them that delivers when, and what, the test says.
struct Cluster {
    private(set) var nodes: [TestNode]
    private(set) var now = MonotonicTime.zero
    /// Under way, in the order in which they left.
    private(set) var network: [Message] = []
    private var cut: [NodeID: [NodeID]] = [:]
    /// Messages that are lost as they leave.
    var loses: (Message) -> Bool = { _ in false }

    init(_ count: Int, configure: (inout Configuration) -> Void = { _ in }) {
        let voters = (1...UInt64(count)).map { NodeID($0) }
        self.init(voters.map { _ in RestoredState(membership: Membership(voters: voters)) }, configure: configure)
    }

    /// One node for each state, with ids from 1.
    init(_ restored: [RestoredState], configure: (inout Configuration) -> Void = { _ in }) {
        nodes = restored.enumerated().map {
            TestNode(NodeID(UInt64($0.offset) + 1), restored: $0.element, configure: configure)
        }
        for position in nodes.indices { collect(position) }
    }

    subscript(_ node: NodeID) -> TestNode { nodes[Int(node.rawValue) - 1] }

    var leaders: [NodeID] { nodes.filter { $0.core.role == .leader }.map(\.id) }

    /// Changes one node, and takes what it sends.
    mutating func with(_ node: NodeID, _ body: (inout TestNode) -> Void) {
        let position = Int(node.rawValue) - 1
        nodes[position].now = max(nodes[position].now, now)
        body(&nodes[position])
        now = max(now, nodes[position].now)
        collect(position)
    }

    mutating func give(_ node: NodeID, _ inputs: Input...) { with(node) { $0.give(inputs) } }

    /// Replaces a node by one that has started again from its disk, and has lost whatever was not durable.
    mutating func restart(_ node: NodeID) {
        with(node) { old in
            old = TestNode(
                node, restored: old.disk.restored(applied: old.disk.truncated.index), disk: old.disk, now: old.now,
                configure: { $0 = old.configuration })
        }
    }

    // MARK: Network

    /// Cuts all links of a node.
    mutating func isolate(_ node: NodeID) {
        for other in nodes where other.id != node { cutLink(node, other.id) }
    }

    mutating func cutLink(_ a: NodeID, _ b: NodeID) {
        cut[a, default: []].append(b)
        cut[b, default: []].append(a)
    }

    mutating func heal() { cut = [:] }

    mutating func dropAll() { network = [] }

    /// Delivers what is under way and what it leads to, until nothing moves.
    mutating func settle() {
        var budget = 100_000
        while !network.isEmpty {
            deliver(0)
            budget -= 1
            guard budget > 0 else {
                Issue.record("the messages never end")
                return
            }
        }
    }

    /// Delivers one message, given by its place among those under way.
    mutating func deliver(_ place: Int) {
        let message = network.remove(at: place)
        guard !(cut[message.from] ?? []).contains(message.to) else { return }
        with(message.to) { $0.give(.received(message)) }
    }

    /// Delivers what is under way now and fits, not what it leads to.
    mutating func deliver(where fits: (Message) -> Bool) {
        let chosen = network.filter(fits)
        network.removeAll(where: fits)
        for message in chosen where !(cut[message.from] ?? []).contains(message.to) {
            with(message.to) { $0.give(.received(message)) }
        }
    }

    private mutating func collect(_ position: Int) {
        for message in nodes[position].takeMessages() where !loses(message) { network.append(message) }
    }

    // MARK: Time

    /// Lets time pass for all, deadline by deadline, and delivers everything at once.
    mutating func run(for duration: Duration) {
        let end = now.advanced(by: duration)
        settle()
        while let next = nodes.map(\.core.nextDeadline).min(), next <= end {
            now = max(now, next)
            for node in nodes where node.core.nextDeadline <= now { with(node.id) { $0.give(.timeAdvanced) } }
            settle()
        }
        now = end
    }

    /// Lets the election timeout of one node fire (nobody else notices the time), and delivers what follows.
    mutating func campaign(_ node: NodeID) {
        with(node) { $0.timeOut() }
        settle()
    }

    mutating func elect(_ node: NodeID) {
        campaign(node)
        #expect(self[node].core.role == .leader, "node \(node) should lead")
    }

    mutating func propose(_ node: NodeID, _ payload: Bytes, token: UInt64 = 1) {
        with(node) { $0.propose(payload, token: token) }
    }

    /// Payloads that a node has applied, without the empty ones of leaders.
    func state(of node: NodeID) -> [String] {
        self[node].applied.filter { $0.kind == .normal }.map { $0.payload.text }
    }
}
