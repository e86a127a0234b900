import ByteCoding

@testable import Raft

/// One state of a whole group: its nodes, what is under way between them, and what is known about its past.
///
/// A value: an action makes a new world and leaves the old one as it is. Worlds share the nodes that did not change.
struct World {
    /// A node, shared by all worlds in which it is the same, and what is asked of it most often.
    final class Place: Sendable {
        let node: ExploredNode
        let id: NodeID
        let digest: Int
        let role: RoleKind
        let term: Term
        let log: Log
        let disk: ExploredDisk

        init(_ node: ExploredNode) {
            self.node = node
            id = node.id
            digest = node.digest
            role = node.core.role
            term = node.core.term
            log = node.core.log
            disk = node.disk
        }
    }

    /// Rare things, so that a report can say that they were reached.
    struct Marks: OptionSet, Hashable, Sendable {
        var rawValue: UInt8
        static let proposalLost = Marks(rawValue: 1)
        static let readAnswered = Marks(rawValue: 2)
        static let snapshotInstalled = Marks(rawValue: 4)
        static let jointEntered = Marks(rawValue: 8)
        static let membershipChanged = Marks(rawValue: 16)
        static let handedOver = Marks(rawValue: 32)
        static let truncated = Marks(rawValue: 64)
    }

    private(set) var nodes: [Place] = []
    /// Under way, no two equal. The order is that in which they left, and says nothing about that in which they arrive.
    private(set) var packets: [Packet] = []
    private(set) var history: History
    /// What may still happen.
    private(set) var budget: SearchSpace.Budget
    /// What the latest action came across; no part of the state.
    private(set) var marks: Marks = []

    init(_ space: SearchSpace) {
        history = History(space)
        budget = space.budget
        for (place, restored) in space.start.enumerated() {
            nodes.append(Place(ExploredNode(restored, id: NodeID(UInt64(place) + 1), space: space)))
        }
        for place in nodes.indices { with(place, in: space) { _ in } }
        space.prepare(&self, space)
        // What it took to get here was free.
        budget = space.budget
    }

    // MARK: Actions

    mutating func perform(_ action: Action, in space: SearchSpace) {
        marks = []
        switch action {
        case .fireTimer(let place):
            if nodes[place].role == .leader { budget.heartbeats -= 1 } else { budget.elections -= 1 }
            with(place, in: space) { $0.fireTimer() }
        case .fallSilent(let place):
            budget.silences -= 1
            with(place, in: space) { $0.fallSilent() }
        case .sync(let place): with(place, in: space) { $0.sync() }
        case .apply(let place): with(place, in: space) { $0.apply() }
        case .crash(let place, let count):
            budget.crashes -= 1
            with(place, in: space) { $0.crash(keeping: count) }
        case .propose(let place):
            budget.proposals -= 1
            let proposal = history.nextProposal
            with(place, in: space) { $0.give(.proposed([proposal])) }
        case .read(let place):
            budget.reads -= 1
            let token = history.openRead(by: nodes[place].id)
            with(place, in: space) { $0.askForRead(token) }
        case .change(let place):
            let change = space.changes[space.budget.changes - budget.changes]
            budget.changes -= 1
            let token = history.nextProposal.token
            with(place, in: space) { $0.give(.membershipChangeProposed(token, change)) }
        case .transfer(let place, let target):
            budget.transfers -= 1
            with(place, in: space) { $0.give(.transferRequested(to: target)) }
        case .compact(let place):
            budget.compactions -= 1
            let index = nodes[place].node.cut!
            with(place, in: space) { $0.compact(through: index) }
        case .deliver(let place): deliver(packets.remove(at: place), in: space)
        case .duplicate(let place):
            budget.duplicates -= 1
            deliver(packets[place], in: space)
        case .drop(let place):
            let packet = packets.remove(at: place)
            guard packet.isSnapshot else { return budget.drops -= 1 }
            budget.lostSnapshots -= 1
            with(Int(packet.from.rawValue) - 1, in: space) {
                $0.give(.snapshotReported(to: packet.to, .failed))
            }
        }
    }

    private mutating func deliver(_ packet: Packet, in space: SearchSpace) {
        let place = Int(packet.to.rawValue) - 1
        switch packet.content {
        case .message(let message): with(place, in: space) { $0.give(.received(message)) }
        case .snapshot(let meta, let term):
            with(place, in: space) { $0.give(.snapshotReceived(meta, from: packet.from, term: term)) }
            with(Int(packet.from.rawValue) - 1, in: space) {
                $0.give(.snapshotReported(to: packet.to, .delivered(meta.index)))
            }
        }
    }

    private mutating func with(_ place: Int, in space: SearchSpace, _ body: (inout ExploredNode) -> Void) {
        var node = nodes[place].node
        body(&node)
        let news = node.takeNews()
        nodes[place] = Place(node)
        for item in news { hear(item, from: nodes[place], in: space) }
        history.judge(nodes[place], among: nodes)
    }

    private mutating func hear(_ news: ExploredNode.News, from node: Place, in space: SearchSpace) {
        mark(news)
        switch news {
        case .sent(let message):
            history.sent(message)
            if space.losesHeartbeats, message.isHeartbeat { return }
            // Nobody lives there.
            guard message.to.rawValue <= nodes.count else { return }
            add(Packet(from: message.from, to: message.to, .message(message)))
        case .snapshotWanted(let follower, let meta, let term):
            add(Packet(from: node.id, to: follower, .snapshot(meta, term: term)))
        default: history.hear(news, from: node, among: nodes)
        }
    }

    private mutating func mark(_ news: ExploredNode.News) {
        switch news {
        case .resolved(_, .lost): marks.insert(.proposalLost)
        case .readReady: marks.insert(.readAnswered)
        case .installed: marks.insert(.snapshotInstalled)
        case .membershipChanged(let membership): marks.insert(membership.isJoint ? .jointEntered : .membershipChanged)
        case .sent(let message): if case .timeoutNow = message.body { marks.insert(.handedOver) }
        case .truncated: marks.insert(.truncated)
        case .snapshotWanted, .committed, .applied, .accepted, .resolved, .wrong: break
        }
    }

    private mutating func add(_ packet: Packet) {
        if !packets.contains(where: { $0.digest == packet.digest && $0 == packet }) { packets.append(packet) }
    }

    // MARK: As the search sees it

    /// Equal for worlds that differ in nothing that can ever matter (and, with a probability near 2^-64, for others).
    var digest: Int {
        var hasher = Hasher()
        for place in nodes { hasher.combine(place.digest) }
        // Packets are a set: their order must not show.
        var sum = 0
        for packet in packets { sum &+= packet.digest }
        hasher.combine(sum)
        hasher.combine(packets.count)
        hasher.combine(history)
        hasher.combine(budget)
        return hasher.finalize()
    }

    func isWithin(_ bounds: SearchSpace.Bounds) -> Bool {
        packets.count <= bounds.packets
            && nodes.allSatisfy { $0.term.rawValue <= bounds.term && $0.log.lastIndex.rawValue <= bounds.entries }
    }

    // MARK: Preparation

    /// Delivers and syncs everything until nothing moves.
    ///
    /// - Parameters:
    ///   - absent: what is for this node is lost.
    ///   - unsynced: the disk of this node does nothing.
    mutating func calmDown(in space: SearchSpace, without absent: Int? = nil, unsynced: Int? = nil) {
        while history.failure == nil {
            packets.removeAll { packet in absent.map { packet.to == nodes[$0].id } ?? false }
            if !packets.isEmpty {
                perform(.deliver(packet: 0), in: space)
            } else if let place = nodes.indices.first(where: { $0 != unsynced && !nodes[$0].node.writes.isEmpty }) {
                perform(.sync(node: place), in: space)
            } else if let place = nodes.firstIndex(where: { !$0.node.unapplied.isEmpty }) {
                perform(.apply(node: place), in: space)
            } else {
                return
            }
        }
    }

    /// The place of a node in `nodes`.
    func place(of node: NodeID) -> Int { Int(node.rawValue) - 1 }
}
