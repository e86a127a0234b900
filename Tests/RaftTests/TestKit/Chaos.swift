import ByteCoding
import Testing

@testable import Raft

/// A group under a random schedule: messages are lost, repeated, delayed and reordered, links are cut, disks are slow
/// or full, nodes crash and lose what was not durable, members come and go, leadership is handed over, and logs are cut
/// so short that snapshots are needed. Everything follows from the seed.
///
/// After the storm comes calm: every fault ends, and the group must elect, commit and agree again.
struct Chaos {
    struct Node {
        var test: TestNode
        var isUp = true
        var incarnation: UInt64 = 1
        /// How far its clock is ahead.
        var lead = Duration.zero
        /// What the state machine would still hold after a crash.
        var durableApplied = LogIndex.zero
        var ledger = Checker.Ledger()
    }

    /// What this seed's storm has beside lost messages and crashes.
    struct Faults {
        /// Members come and go; two more nodes wait for that.
        var changesMembership: Bool
        /// Logs are cut though somebody may still need them.
        var cutsEarly: Bool
        var transfers: Bool
        var diskFull: Bool
        /// Not together with leases, which count on clocks.
        var leapingClocks: Bool
    }

    /// How often what the storm is meant to judge has happened.
    struct Tally {
        var restarts = 0
        var membershipChanges = 0
        var installs = 0
        var transfers = 0
        var learnersCaughtUp = 0
    }

    let seed: UInt64
    let faults: Faults
    let configuration: Configuration
    var nodes: [Node]
    var checker = Checker()
    var tally = Tally()
    var random: SplitMix64
    var now = MonotonicTime.zero
    var network: [Message] = []
    var snapshots: [SnapshotUnderWay] = []
    var cut: Set<[NodeID]> = []
    var isStormy = true
    var tokens: UInt64 = 0
    /// Everything that came out, if wanted.
    private(set) var trace: [String] = []
    private let isTraced: Bool

    init(seed: UInt64, size: UInt64, isTraced: Bool = false) {
        self.seed = seed
        self.isTraced = isTraced
        random = SplitMix64(seed: seed)
        configuration = Self.drawConfiguration(seed: seed, from: &random)
        faults = Faults(
            changesMembership: random.next(below: 3) > 0, cutsEarly: random.next(below: 3) > 0,
            transfers: random.next(below: 3) > 0, diskFull: random.next(below: 4) == 0,
            leapingClocks: !configuration.leaseReads)
        let voters = (1...size).map { NodeID($0) }
        nodes = []
        for node in 1...(faults.changesMembership ? size + 2 : size) {
            // Those who wait know the founders, too: the log begins after them.
            let restored = RestoredState(membership: Membership(voters: voters))
            nodes.append(Node(test: start(NodeID(node), restored: restored, disk: TestDisk(restored))))
        }
    }

    private static func drawConfiguration(seed: UInt64, from random: inout SplitMix64) -> Configuration {
        var configuration = Configuration(group: group, node: 0, seed: seed)
        configuration.electionTimeout = .milliseconds(100)
        configuration.heartbeatInterval = .milliseconds(20)
        configuration.preVote = random.next(below: 4) > 0
        configuration.checkQuorum = random.next(below: 4) > 0
        configuration.leaseReads = configuration.checkQuorum && random.next(below: 3) == 0
        configuration.maxAppendBytes = [1, 200, 1 << 18][Int(random.next(below: 3))]
        configuration.maxInflightMessages = [1, 3, 64][Int(random.next(below: 3))]
        configuration.maxApplyBytes = [1, 500, 1 << 20][Int(random.next(below: 3))]
        configuration.entryCacheBytes = [0, 300, 1 << 20][Int(random.next(below: 3))]
        configuration.maxUncommittedBytes = [500, 1 << 20][Int(random.next(below: 2))]
        configuration.maxRetainedEntries = [3, 20, 1_000_000][Int(random.next(below: 3))]
        configuration.diskStallLimit = [.milliseconds(150), .seconds(2)][Int(random.next(below: 2))]
        configuration.defersCommitNotices = random.next(below: 2) == 0
        return configuration
    }

    /// - Returns: what went wrong; `nil`: nothing.
    mutating func run(actions: Int) -> String? {
        for _ in 0..<actions where checker.failure == nil { act() }
        if checker.failure == nil { calm() }
        return checker.failure
    }

    func start(_ node: NodeID, restored: RestoredState, disk: TestDisk) -> TestNode {
        let template = configuration
        var test = TestNode(node, restored: restored, disk: disk, now: now, syncsAtOnce: false) {
            $0 = template
            $0.node = node
        }
        test.appliesAtOnce = false
        test.fetchesAtOnce = false
        test.installsAtOnce = false
        return test
    }

    // MARK: Who is what

    func place(of node: NodeID) -> Int { Int(node.rawValue) - 1 }

    var leaderPlace: Int? {
        nodes.indices.filter { nodes[$0].isUp && nodes[$0].test.core.role == .leader }
            .max { nodes[$0].test.core.term < nodes[$1].test.core.term }
    }

    /// Anyone who believes to lead, the deposed as well.
    var anyLeaderPlace: Int? {
        let believers = nodes.indices.filter { nodes[$0].isUp && nodes[$0].test.core.role == .leader }
        return believers.isEmpty ? nil : believers[Int(now.nanoseconds / 1_000_000) % believers.count]
    }

    // MARK: What comes out

    mutating func with(_ place: Int, _ body: (inout TestNode) -> Void) {
        guard nodes[place].isUp else { return }
        nodes[place].test.now = now.advanced(by: nodes[place].lead)
        body(&nodes[place].test)
        if random.next(below: 2) == 0 { nodes[place].test.answerFetches() }
        collect(place)
    }

    mutating func collect(_ place: Int) {
        let node = nodes[place].test
        if checker.check(node) { checker.checkDurable(nodes.map(\.test), in: [node.core.membership]) }
        let messages = nodes[place].test.takeMessages()
        network.append(contentsOf: messages)
        if isStormy, network.count > 60 { network.removeFirst(network.count - 60) }
        collectSnapshots(place)
        let events = nodes[place].test.takeEvents()
        for event in events {
            checker.check(event, of: node, &nodes[place].ledger)
            count(event)
        }
        checker.checkApplied(of: node, &nodes[place].ledger)
        if isTraced {
            trace.append(contentsOf: messages.map { "\($0)" } + events.map { "\($0)" })
            trace.append(contentsOf: node.unsynced.map { "\($0)" })
        }
    }

    /// A snapshot holds what its node has applied when it was asked for. It is sent in the name of a leader only.
    private mutating func collectSnapshots(_ place: Int) {
        for follower in nodes[place].test.takeSnapshotRequests() {
            let sender = nodes[place].test
            guard sender.core.role == .leader else {
                with(place) { $0.give(.snapshotReported(to: follower, .failed)) }
                continue
            }
            snapshots.append(
                SnapshotUnderWay(
                    from: sender.id, to: follower, term: sender.core.term, snapshot: sender.makeSnapshot()))
        }
    }

    private mutating func count(_ event: Effect) {
        switch event {
        case .membershipChanged: tally.membershipChanges += 1
        case .learnerCaughtUp: tally.learnersCaughtUp += 1
        case .transferEnded(.steppedDown): tally.transfers += 1
        default: break
        }
    }

    mutating func note(_ what: String) { if isTraced { trace.append(what) } }
}
