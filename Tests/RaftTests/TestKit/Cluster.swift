import ByteCoding
import Raft
import Testing

/// A group of test nodes and a network between them that delivers when, and what, the test says.
struct Cluster {
    /// Ascending by id.
    private(set) var nodes: [TestNode]
    private(set) var now = MonotonicTime.zero
    /// Under way, in the order in which they left.
    private(set) var network: [Message] = []
    /// Snapshots under way from shell to shell, beside the network.
    private(set) var snapshots: [SnapshotUnderWay] = []
    private var cut: [NodeID: [NodeID]] = [:]
    /// How far a node's clock is ahead of `now`.
    private var leads: [NodeID: Duration] = [:]
    /// Crashed and not restarted.
    private(set) var down: [NodeID] = []
    /// Messages that are lost as they leave.
    var loses: (Message) -> Bool = { _ in false }
    /// Whether `settle` delivers snapshots too.
    var deliversSnapshots = true

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

    subscript(_ node: NodeID) -> TestNode { nodes[position(of: node)!] }

    func position(of node: NodeID) -> Int? { nodes.firstIndex { $0.id == node } }

    var leaders: [NodeID] {
        nodes.filter { $0.core.role == .leader && !down.contains($0.id) }.map(\.id)
    }

    /// Changes one node, and takes what it sends.
    mutating func with(_ node: NodeID, _ body: (inout TestNode) -> Void) {
        guard let position = position(of: node), !down.contains(node) else { return }
        let lead = leads[node] ?? .zero
        nodes[position].now = max(nodes[position].now, now.advanced(by: lead))
        body(&nodes[position])
        now = now.advanced(by: nodes[position].now.since(now.advanced(by: lead)))
        collect(position)
    }

    mutating func takeEvents(of node: NodeID) -> [Effect] { nodes[position(of: node)!].takeEvents() }

    mutating func give(_ node: NodeID, _ inputs: Input...) { with(node) { $0.give(inputs) } }

    // MARK: Coming and going

    /// Starts one more node. By default it knows nothing, not even who belongs to the group.
    mutating func add(
        _ node: NodeID, restored: RestoredState = RestoredState(membership: Membership(voters: [])),
        disk: TestDisk? = nil, configure: (inout Configuration) -> Void = { _ in }
    ) {
        precondition(position(of: node) == nil, "node \(node) is already there")
        let position = nodes.firstIndex { $0.id > node } ?? nodes.endIndex
        nodes.insert(TestNode(node, restored: restored, disk: disk, now: now, configure: configure), at: position)
        collect(position)
    }

    /// Another build or another past: the node starts anew from `restored`.
    mutating func replace(
        _ node: NodeID, restored: RestoredState, configure: (inout Configuration) -> Void = { _ in }
    ) {
        nodes.remove(at: position(of: node)!)
        add(node, restored: restored, configure: configure)
    }

    /// The node is gone, with everything that was not durable.
    mutating func crash(_ node: NodeID) {
        with(node) { $0.tearOff(keeping: 0) }
        down.append(node)
    }

    /// Replaces a node by one that has started again from its disk, and has lost whatever was not durable.
    ///
    /// - Parameter applied: what its state machine still holds; by default nothing behind the beginning of its log.
    mutating func restart(_ node: NodeID, applied: LogIndex? = nil) {
        down.removeAll { $0 == node }
        with(node) { old in
            let holds = (old.syncsAtOnce, old.appliesAtOnce, old.installsAtOnce)
            old.tearOff(keeping: 0)
            old = TestNode(
                node, restored: old.disk.restored(applied: applied ?? old.disk.truncated.index), disk: old.disk,
                now: old.now, configure: { $0 = old.configuration })
            (old.syncsAtOnce, old.appliesAtOnce, old.installsAtOnce) = holds
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
    ///
    /// - Parameter between: what is not between these nodes stays where it is; `nil`: everything moves.
    mutating func settle(between some: [NodeID]? = nil) {
        func fits(_ from: NodeID, _ to: NodeID) -> Bool { some.map { $0.contains(from) && $0.contains(to) } ?? true }
        for _ in 0..<100_000 {
            if let place = network.firstIndex(where: { fits($0.from, $0.to) }) {
                deliver(place)
            } else if deliversSnapshots, let place = snapshots.firstIndex(where: { fits($0.from, $0.to) }) {
                deliverSnapshot(place)
            } else {
                return
            }
        }
        Issue.record("the messages never end")
    }

    /// Delivers one message, given by its place among those under way.
    mutating func deliver(_ place: Int) { hand(over: network.remove(at: place)) }

    /// Delivers what is under way now and fits, not what it leads to.
    ///
    /// - Returns: how many messages fitted.
    @discardableResult mutating func deliver(where fits: (Message) -> Bool) -> Int {
        let chosen = network.filter(fits)
        network.removeAll(where: fits)
        for message in chosen { hand(over: message) }
        return chosen.count
    }

    /// - Returns: how many messages fitted.
    @discardableResult mutating func drop(where fits: (Message) -> Bool) -> Int {
        let before = network.count
        network.removeAll(where: fits)
        return before - network.count
    }

    /// Sends something that no core sent: a message of long ago, or of a node that does not exist.
    mutating func inject(_ message: Message) { network.append(message) }

    private mutating func hand(over message: Message) {
        guard !isCut(message.from, message.to) else { return }
        with(message.to) { $0.give(.received(message)) }
    }

    private func isCut(_ from: NodeID, _ to: NodeID) -> Bool { (cut[from] ?? []).contains(to) }

    private mutating func collect(_ position: Int) {
        for message in nodes[position].takeMessages() where !loses(message) { network.append(message) }
        for follower in nodes[position].takeSnapshotRequests() { sendSnapshot(from: nodes[position].id, to: follower) }
    }

    // MARK: Snapshots

    /// The shell of a leader makes a snapshot of what is applied now, and begins to send it.
    mutating func sendSnapshot(from: NodeID, to: NodeID) {
        let sender = self[from]
        guard sender.core.role == .leader else { return give(from, .snapshotReported(to: to, .failed)) }
        snapshots.append(
            SnapshotUnderWay(from: from, to: to, term: sender.core.term, snapshot: sender.makeSnapshot()))
    }

    /// The last byte of a snapshot arrives, and the sender hears so; across a cut link it fails.
    mutating func deliverSnapshot(_ place: Int) {
        let underWay = snapshots[place]
        guard !isCut(underWay.from, underWay.to), !down.contains(underWay.to) else { return loseSnapshot(place) }
        snapshots.remove(at: place)
        with(underWay.to) { $0.receive(underWay.snapshot, from: underWay.from, term: underWay.term) }
        give(underWay.from, .snapshotReported(to: underWay.to, .delivered(underWay.snapshot.meta.index)))
    }

    mutating func loseSnapshot(_ place: Int) {
        let underWay = snapshots.remove(at: place)
        give(underWay.from, .snapshotReported(to: underWay.to, .failed))
    }

    // MARK: Time

    /// Lets time pass for all, deadline by deadline, and delivers everything at once.
    mutating func run(for duration: Duration) {
        let end = now.advanced(by: duration)
        settle()
        while let next = nodes.map(due).min(), next <= end {
            now = max(now, next)
            for node in nodes where due(node) <= now { with(node.id) { $0.give(.timeAdvanced) } }
            settle()
        }
        now = end
    }

    /// Lets time pass for all at once: every timer that is due by then fires once.
    mutating func pass(_ duration: Duration) {
        now = now.advanced(by: duration)
        for node in nodes { give(node.id, .timeAdvanced) }
    }

    /// The clock of one node leaps to its next timer; nobody else notices any time.
    mutating func fire(_ node: NodeID) {
        let local = now.advanced(by: leads[node] ?? .zero)
        let deadline = self[node].core.nextDeadline
        precondition(deadline != .never, "node \(node) waits for nothing")
        leads[node] = (leads[node] ?? .zero) + deadline.since(local)
        give(node, .timeAdvanced)
    }

    /// The clock of one node leaps.
    mutating func leap(_ node: NodeID, by duration: Duration) {
        leads[node] = (leads[node] ?? .zero) + duration
        give(node, .timeAdvanced)
    }

    /// When a node's timer is due, by the common clock.
    private func due(_ node: TestNode) -> MonotonicTime {
        guard !down.contains(node.id), node.core.nextDeadline != .never else { return .never }
        let ahead = (leads[node.id] ?? .zero).wholeNanoseconds
        let deadline = node.core.nextDeadline.nanoseconds
        return MonotonicTime(nanoseconds: deadline > ahead ? deadline - ahead : 0)
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

    // MARK: Requests

    mutating func propose(_ node: NodeID, _ payload: Bytes, token: UInt64 = 1) {
        with(node) { $0.propose(payload, token: token) }
    }

    mutating func propose(_ node: NodeID, _ change: MembershipChange, token: UInt64 = 1) {
        with(node) { $0.propose(change, token: token) }
    }

    mutating func transfer(_ node: NodeID, to target: NodeID?) { give(node, .transferRequested(to: target)) }

    /// Payloads that a node has applied, without the empty ones of leaders.
    func state(of node: NodeID) -> [String] {
        self[node].applied.filter { $0.kind == .normal }.map { $0.payload.text }
    }
}
