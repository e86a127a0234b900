import ByteCoding
import Testing

@testable import Raft

/// A group under a random schedule: messages are lost, repeated, delayed and reordered, links are cut, disks are slow,
/// nodes crash and lose what was not durable. Everything follows from the seed.
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
        /// How much of `test.applied` was checked.
        var checkedApplied = 0
        /// Reads under way, and the highest index that was committed anywhere when they were asked for.
        var reads: [ReadToken: LogIndex] = [:]
        var proposals: [ProposalToken: EntryID] = [:]
    }

    let seed: UInt64
    private(set) var nodes: [Node]
    private(set) var checker: Checker
    private var random: SplitMix64
    private var now = MonotonicTime.zero
    private var network: [Message] = []
    private var cut: Set<[NodeID]> = []
    private var isStormy = true
    private var tokens: UInt64 = 0
    private(set) var restarts = 0
    private let configuration: Configuration
    /// Everything that came out, if wanted.
    private(set) var trace: [String] = []
    private let isTraced: Bool

    init(seed: UInt64, size: UInt64, isTraced: Bool = false) {
        self.seed = seed
        self.isTraced = isTraced
        random = SplitMix64(seed: seed)
        let voters = (1...size).map { NodeID($0) }
        var configuration = Configuration(group: group, node: 0, seed: seed)
        configuration.electionTimeout = .milliseconds(100)
        configuration.heartbeatInterval = .milliseconds(20)
        configuration.preVote = random.next(below: 4) > 0
        configuration.checkQuorum = random.next(below: 4) > 0
        configuration.maxAppendBytes = [1, 200, 1 << 18][Int(random.next(below: 3))]
        configuration.maxInflightMessages = [1, 3, 64][Int(random.next(below: 3))]
        configuration.maxApplyBytes = [1, 500, 1 << 20][Int(random.next(below: 3))]
        configuration.entryCacheBytes = [0, 300, 1 << 20][Int(random.next(below: 3))]
        configuration.maxUncommittedBytes = [500, 1 << 20][Int(random.next(below: 2))]
        self.configuration = configuration
        checker = Checker(voters: voters)
        nodes = []
        for voter in voters {
            let restored = RestoredState(membership: Membership(voters: voters))
            nodes.append(Node(test: start(voter, restored: restored, disk: TestDisk(restored))))
        }
    }

    /// - Returns: what went wrong; `nil`: nothing.
    mutating func run(actions: Int) -> String? {
        for _ in 0..<actions where checker.failure == nil { act() }
        if checker.failure == nil { calm() }
        return checker.failure
    }

    // MARK: The storm

    private mutating func act() {
        let place = Int(random.next(below: UInt64(nodes.count)))
        switch random.next(below: 100) {
        case 0..<40: for _ in 0...random.next(below: 4) { deliverOne() }
        case 40..<54: sync(place)
        case 54..<62: apply(place)
        case 62..<75: pass(random.next(below: .milliseconds(30)))
        case 75..<86: propose(at: anyLeaderPlace ?? place)
        case 86..<89: ask(at: place)
        case 89: hurry(place)
        case 90: crash(place)
        case 91..<94: if !nodes[place].isUp { restart(place) }
        case 94: if nodes[place].isUp { compact(place) }
        case 95: disturb(place)
        case 96: if random.next(below: 2) == 0 { cutSome() } else { overthrow(place) }
        case 97: cut = []
        default: deliverMany()
        }
        if random.next(below: 16) == 0 { checker.checkLogs(nodes.map(\.test)) }
    }

    /// Mostly one of the oldest, or nothing would ever get through.
    private mutating func deliverOne() {
        guard !network.isEmpty else { return }
        let reach = random.next(below: 4) == 0 ? network.count : min(network.count, 3)
        let place = Int(random.next(below: UInt64(reach)))
        let message = network[place]
        switch random.next(below: 25) {
        case 0: network.remove(at: place)
        case 1: deliver(message)  // And it comes again.
        default:
            network.remove(at: place)
            deliver(message)
        }
    }

    /// In order, several to a drain.
    private mutating func deliverMany() {
        let all = network
        network = []
        for place in nodes.indices where nodes[place].isUp {
            let mine = all.filter { $0.to == nodes[place].test.id && !isCut($0) }
            with(place) { $0.give(mine.map { .received($0) }) }
        }
    }

    private mutating func deliver(_ message: Message) {
        let place = Int(message.to.rawValue) - 1
        guard nodes[place].isUp, !isCut(message) else { return }
        with(place) { $0.give(.received(message)) }
    }

    private func isCut(_ message: Message) -> Bool { cut.contains([message.from, message.to]) }

    private mutating func sync(_ place: Int) {
        let count = 1 + Int(random.next(below: 3))
        with(place) { $0.sync(count) }
    }

    private mutating func apply(_ place: Int) {
        with(place) { $0.applyAll() }
        if random.next(below: 3) == 0 { nodes[place].durableApplied = nodes[place].test.core.appliedIndex }
    }

    private mutating func pass(_ duration: Duration) {
        now = now.advanced(by: duration)
        for place in nodes.indices where nodes[place].isUp {
            if nodes[place].test.core.nextDeadline <= now.advanced(by: nodes[place].lead) {
                with(place) { $0.give(.timeAdvanced) }
            }
        }
    }

    /// One clock leaps: its node campaigns while the others still hear their leader.
    private mutating func hurry(_ place: Int) {
        nodes[place].lead = nodes[place].lead + .milliseconds(200)
        with(place) { $0.give(.timeAdvanced) }
    }

    /// The leader is cut off with proposals that only it holds, while another node campaigns.
    private mutating func overthrow(_ successor: Int) {
        guard let leader = leaderPlace, leader != successor else { return }
        for other in nodes {
            cut.insert([nodes[leader].test.id, other.test.id])
            cut.insert([other.test.id, nodes[leader].test.id])
        }
        propose(at: leader)
        pass(.milliseconds(101))
        hurry(successor)
    }

    private mutating func propose(at place: Int) {
        let batch = (0...random.next(below: 3)).map { _ in
            tokens += 1
            return Proposal(token: ProposalToken(tokens), payload: Bytes("\(tokens)"))
        }
        with(place) { $0.give(.proposed(batch)) }
    }

    private mutating func ask(at place: Int) {
        guard nodes[place].isUp else { return }
        tokens += 1
        let token = ReadToken(incarnation: nodes[place].incarnation, count: tokens)
        nodes[place].reads[token] = checker.lastCommitted
        with(place) { $0.give(.readIndexRequested(token)) }
    }

    /// Some of what was under way to the disk may have reached it, in order; the report never comes.
    private mutating func crash(_ place: Int) {
        guard nodes[place].isUp else { return }
        let survivors = nodes.count(where: \.isUp)
        guard survivors > nodes.count / 2 || random.next(below: 4) == 0 else { return }
        if isTraced { trace.append("crash \(place)") }
        nodes[place].isUp = false
        if random.next(below: 2) == 0 { nodes[place].test.tearOff(keeping: Int(random.next(below: 3))) }
    }

    private mutating func restart(_ place: Int) {
        let old = nodes[place].test
        let oldest = old.disk.truncated.index.rawValue
        let applied = oldest + random.next(below: nodes[place].durableApplied.rawValue - oldest + 1)
        restarts += 1
        nodes[place] = Node(
            test: start(old.id, restored: old.disk.restored(applied: LogIndex(applied)), disk: old.disk),
            incarnation: nodes[place].incarnation + 1, lead: nodes[place].lead, durableApplied: LogIndex(applied))
        collect(place)
    }

    private func start(_ node: NodeID, restored: RestoredState, disk: TestDisk) -> TestNode {
        let template = configuration
        var test = TestNode(node, restored: restored, disk: disk, now: now, syncsAtOnce: false) {
            $0 = template
            $0.node = node
        }
        test.appliesAtOnce = false
        test.fetchesAtOnce = false
        return test
    }

    private mutating func compact(_ place: Int) {
        let node = nodes[place]
        let limit = min(node.test.core.truncatableIndex, node.durableApplied, node.test.core.appliedIndex)
        guard limit > node.test.disk.truncated.index else { return }
        checker.checkTruncation(through: limit, nodes.map(\.test))
        with(place) { $0.compact(through: limit) }
    }

    private mutating func disturb(_ place: Int) {
        let other = nodes[Int(random.next(below: UInt64(nodes.count)))].test.id
        let input: Input = random.next(below: 2) == 0 ? .unreachable(other) : .leaderLost(other)
        with(place) { $0.give(input) }
    }

    private mutating func cutSome() {
        let a = nodes[Int(random.next(below: UInt64(nodes.count)))].test.id
        for other in nodes where random.next(below: 2) == 0 {
            cut.insert([a, other.test.id])
            if random.next(below: 2) == 0 { cut.insert([other.test.id, a]) }
        }
    }

    // MARK: The calm

    private mutating func calm() {
        isStormy = false
        cut = []
        for place in nodes.indices where !nodes[place].isUp { restart(place) }
        converge()
        // New entries up to every index where a proposal is open settle what became of it.
        let open = nodes.flatMap(\.proposals.values).map(\.index).max() ?? .zero
        while checker.failure == nil, let leader = leaderPlace, nodes[leader].test.core.commitIndex < open {
            propose(at: leader)
            converge()
        }
        // Requests for reads that were lost fail after an election timeout.
        for _ in 0..<6 { calmRound() }
        checker.checkLogs(nodes.map(\.test))
        for node in nodes where checker.failure == nil && !(node.proposals.isEmpty && node.reads.isEmpty) {
            checker.fail(
                "node \(node.test.id) never resolved \(node.proposals.count) proposals, \(node.reads.count) reads")
        }
    }

    private mutating func converge() {
        var rounds = 0
        repeat {
            calmRound()
            rounds += 1
        } while checker.failure == nil && !isConverged && rounds < 400
        if checker.failure == nil, !isConverged {
            checker.fail("no agreement after the storm: \(nodes.map { describe($0.test.status) })")
        }
    }

    private mutating func calmRound() {
        pass(.milliseconds(20))
        for _ in 0..<8 {
            deliverMany()
            for place in nodes.indices {
                with(place) {
                    $0.sync()
                    $0.applyAll()
                    $0.answerFetches()
                }
            }
        }
    }

    private var isConverged: Bool {
        guard let leader = leaderPlace else { return false }
        let core = nodes[leader].test.core
        return core.commitIndex == core.lastIndex
            && nodes.allSatisfy { $0.test.core.appliedIndex == core.lastIndex && $0.test.core.leader == core.leader }
    }

    private var leaderPlace: Int? {
        nodes.indices.filter { nodes[$0].isUp && nodes[$0].test.core.role == .leader }
            .max { nodes[$0].test.core.term < nodes[$1].test.core.term }
    }

    /// Anyone who believes to lead, the deposed as well.
    private var anyLeaderPlace: Int? {
        let believers = nodes.indices.filter { nodes[$0].isUp && nodes[$0].test.core.role == .leader }
        return believers.isEmpty ? nil : believers[Int(now.nanoseconds / 1_000_000) % believers.count]
    }

    private func describe(_ status: Status) -> String {
        let log = "commit \(status.commitIndex) last \(status.lastIndex)"
        return "[\(status.node) \(status.role.rawValue) term \(status.term) \(log)]"
    }

    // MARK: What comes out

    private mutating func with(_ place: Int, _ body: (inout TestNode) -> Void) {
        guard nodes[place].isUp else { return }
        nodes[place].test.now = now.advanced(by: nodes[place].lead)
        body(&nodes[place].test)
        if random.next(below: 2) == 0 { nodes[place].test.answerFetches() }
        collect(place)
    }

    private mutating func collect(_ place: Int) {
        if checker.check(nodes[place].test) { checker.checkDurable(nodes.map(\.test)) }
        let messages = nodes[place].test.takeMessages()
        network.append(contentsOf: messages)
        if isStormy, network.count > 60 { network.removeFirst(network.count - 60) }
        let events = nodes[place].test.takeEvents()
        for event in events { checker.check(event, of: &nodes[place]) }
        checker.checkApplied(of: &nodes[place])
        if isTraced {
            trace.append(contentsOf: messages.map { "\($0)" } + events.map { "\($0)" })
            trace.append(contentsOf: nodes[place].test.unsynced.map { "\($0)" })
        }
    }
}
