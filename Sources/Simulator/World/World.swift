import ByteCoding
import Raft

/// A cluster, its clients and everything that happens to them, in one thread and in virtual time. All follows from the
/// options: the same options give the same run, event by event.
package final class World {
    let options: SwarmOptions
    let group = GroupID(1)
    private(set) var now = WorldTime.zero
    private var queue = EventQueue()
    var network: Network
    private(set) var nodes: [SimulatedNode] = []
    let judge: Judge
    private(set) var workload: Workload!
    private(set) var nemesis: Nemesis!
    var transfers = Slab<SnapshotTransfer>()
    var transfersBegun: UInt64 = 0
    private var requests = Slab<Request>()
    private var replies = Slab<Reply>()
    var marks = MarkTable()
    var buggify: Buggify
    var driverRandom: RandomStream
    var diskRandom: RandomStream
    private var clockRandom: RandomStream
    let coreSeed: UInt64
    /// Places of the healed core in the liveness phase: nothing more happens to them.
    private var calm: [Bool] = []
    /// The faults were more than a cluster can survive.
    var hasNoMajority = false
    /// When a stalled disk works again, by place.
    var stalledUntil: [WorldTime] = []
    /// Until then a node applies entry by entry, with a pause before each.
    var appliesSlowlyUntil: [WorldTime] = []
    private var hash = TraceHash()
    /// The latest lines, for a failure's report; all of them when `isVerbose`.
    private(set) var lines = LineBuffer()
    let founders: Membership
    private(set) var eventsHandled = 0
    /// Events since time moved last.
    private var eventsAtOnce = 0
    /// With more at one moment, something happens again and again without any effect.
    private static let maxEventsAtOnce = 50_000

    /// Gets the run's events, if anybody wants them.
    let trace: TraceWriter?

    package init(
        _ options: SwarmOptions, listener: ((String) -> Void)? = nil, trace: ((String) -> Void)? = nil
    ) {
        let random = RandomStream(seed: options.seed)
        self.options = options
        self.trace = trace.map { TraceWriter(founders: options.nodes, $0) }
        network = Network(options: options.network, random: random.fork(.network))
        judge = Judge(group: group, options: options, random: random.fork(.checking))
        buggify = Buggify(random: random.fork(.buggify), isOn: options.faults.contains(.buggify))
        driverRandom = random.fork(.driver)
        diskRandom = random.fork(.disk)
        clockRandom = random.fork(.clock)
        var core = random.fork(.core)
        coreSeed = core.next()
        founders = Membership(voters: (1...UInt64(options.nodes)).map { NodeID($0) })
        lines.sink = listener
        workload = Workload(world: self, random: random.fork(.clients))
        nemesis = Nemesis(world: self, random: random.fork(.faults))
        for _ in 0..<options.nodes { addNode() }
        for node in nodes { startFounder(node) }
        workload.begin()
        nemesis.begin()
    }

    // MARK: Nodes

    /// Machines are not switched on in one moment: some founders find a cluster that works already.
    private func startFounder(_ node: SimulatedNode) {
        if node.place > 0, options.faults.contains(.crash), driverRandom.chance(2_500) {
            let delay = driverRandom.duration(mean: options.faultDuration)
            plan(.restart(node: Int32(node.place), life: node.life), after: delay)
        } else {
            start(node.place)
        }
    }

    /// A new machine with an empty disk and an id that was never used.
    @discardableResult
    func addNode() -> SimulatedNode {
        let place = nodes.count
        let id = NodeID(UInt64(place + 1))
        let clock = NodeClock(start: clockRandom.integer(in: 1...1_000) * Nanoseconds.perSecond, rate: drawRate())
        // The founders stand in no log: a node that joins is told them, and is none of their voters.
        nodes.append(SimulatedNode(place: place, id: id, clock: clock, membership: founders))
        network.addNode()
        judge.added(id, membership: founders)
        calm.append(false)
        stalledUntil.append(.zero)
        appliesSlowlyUntil.append(.zero)
        return nodes[place]
    }

    /// A rate within the bound, in parts per million.
    func drawRate() -> UInt64 {
        let drift = options.clock.maxDrift
        if options.isHunt { return clockRandom.pick([1_000_000 - drift, 1_000_000 + drift]) }
        return 1_000_000 - drift + clockRandom.below(2 * drift + 1)
    }

    func anyID() -> NodeID? { nodes.isEmpty ? nil : nodes[driverRandom.below(nodes.count)].id }

    /// - Returns: `nil` for an id that no machine has.
    func place(of id: NodeID) -> Int? {
        let place = Int(id.rawValue) - 1
        return place >= 0 && place < nodes.count ? place : nil
    }

    /// Ends the process; the disk keeps what was synced and some of the rest.
    ///
    /// - Parameter pause: until the restart; `nil`: drawn.
    func crash(_ place: Int, because reason: String, restart: Bool, after pause: UInt64? = nil) {
        let node = nodes[place]
        guard node.isAlive else { return }
        marks.reach(.crashed)
        say { "n\(node.id) crashes: \(reason)" }
        node.end(as: .down)
        if node.disk.crash(&diskRandom, losesAll: options.disk.crashLosesAll) { marks.reach(.recoveredUnsynced) }
        if restart {
            let drawn = driverRandom.duration(mean: options.faultDuration)
            plan(.restart(node: Int32(place), life: node.life), after: pause ?? drawn)
        }
        // A process that dies closes its connections; a machine that loses power doesn't.
        if driverRandom.chance(5_000) { announceEnd(of: node) }
    }

    /// A founder's disk is lost, and its operator starts it as before, on an empty one.
    func wipe(_ place: Int) {
        crash(place, because: "its disk is lost, and it will come back with an empty one", restart: true)
        marks.reach(.diskWiped)
        nodes[place].replaceDisk()
        judge.wiped(place, membership: founders)
    }

    private func announceEnd(of node: SimulatedNode) {
        for other in nodes where other.isUp && !network.isCut(from: node.place, to: other.place) {
            other.process?.give(.unreachable(node.id))
            other.process?.give(.leaderLost(node.id))
        }
    }

    // MARK: Disks and calm

    func isCalm(_ place: Int) -> Bool { calm[place] }

    func becomeCalm(_ place: Int) {
        calm[place] = true
        (nodes[place].disk.isFull, nodes[place].disk.isNearlyFull) = (false, false)
        stalledUntil[place] = .zero
        appliesSlowlyUntil[place] = .zero
    }

    /// How long a synced write takes that begins now.
    func syncDuration(_ place: Int) -> UInt64 {
        var duration = diskRandom.duration(mean: options.disk.syncMean)
        if calm[place] { return duration }
        if diskRandom.chance(options.disk.slow) { duration *= 50 }
        return duration + stalledUntil[place].since(now)
    }

    // MARK: Messages

    func send(_ packet: Packet) {
        var packet = packet
        packet.fromDirectory = nodes[packet.from].incarnation
        packet.toDirectory = nodes[packet.to].incarnation
        guard nodes[packet.from].process?.refuses(packet.to, packet.toDirectory) != true else {
            return marks.reach(.refusedByIncarnation)
        }
        network.send(packet, at: now) { event, moment in queue.plan(event, at: moment) }
    }

    func submit(_ request: Request) {
        plan(.request(requests.insert(request)), after: network.delay())
    }

    func reply(_ reply: Reply, from place: Int) {
        plan(.reply(replies.insert(reply)), after: network.delay())
    }

    // MARK: Membership, seen from outside

    func learnerCaughtUp(_ learner: NodeID) { nemesis.learnerCaughtUp(learner) }

    func membershipChanged(_ membership: Membership, on node: NodeID) {
        nemesis.membershipChanged(membership, on: node)
    }

    func membershipSettled(seenBy node: NodeID) { nemesis.membershipSettled(seenBy: node) }

    // MARK: Time

    func plan(_ event: Event, at moment: WorldTime) { queue.plan(event, at: max(moment, now)) }

    func plan(_ event: Event, after nanoseconds: UInt64) { queue.plan(event, at: now.advanced(by: nanoseconds)) }

    /// Lets the next event happen.
    ///
    /// - Returns: whether there was one.
    func step() -> Bool {
        guard let (moment, event) = queue.next() else { return false }
        eventsAtOnce = moment > now ? 0 : eventsAtOnce + 1
        if eventsAtOnce == Self.maxEventsAtOnce { judge.report(Violation(.liveness, "time stands still")) }
        now = max(now, moment)
        eventsHandled += 1
        hash.mix(now.nanoseconds)
        handle(event)
        return true
    }

    var traceHash: UInt64 { hash.value }

    private func handle(_ event: Event) {
        switch event {
        case .delivery(let packet): deliver(packet)
        case .timer(let node, let generation):
            withNode(node, event) { $0.timerFired(generation: generation) }
        case .turn(let node, let life): withNode(node, life, event) { $0.plannedTurn() }
        case .logSynced(let node, let life): withNode(node, life, event) { $0.logSynced() }
        case .pageApplied(let node, let life): withNode(node, life, event) { $0.pageApplied() }
        case .fetched(let node, let life, let slot): withNode(node, life, event) { $0.fetched(slot) }
        case .lookAround(let node, let life): withNode(node, life, event) { $0.lookAround() }
        case .stateFlushed(let node, let life): withNode(node, life, event) { $0.stateFlushed() }
        case .snapshotInstalled(let node, let life): withNode(node, life, event) { $0.snapshotInstalled() }
        case .snapshot(let transfer, let step): snapshotMoved(transfer, step)
        case .client(let client): workload.next(Int(client))
        case .clientTimeout(let client, let attempt): workload.timedOut(Int(client), attempt: attempt)
        case .request(let number):
            let request = requests.remove(number)
            // A paused node finds what its sockets hold when it goes on.
            switch nodes[request.node].condition {
            case .up: nodes[request.node].process?.take(request)
            case .paused: nodes[request.node].waiting.append(.request(request))
            case .down, .gone: break
            }
        case .reply(let number): workload.take(replies.remove(number))
        case .nemesis: nemesis.act()
        case .faultOver(let fault): nemesis.end(fault)
        case .restart(let node, let life): restart(Int(node), life)
        case .resume(let node, let pause): resume(Int(node), pause)
        }
    }

    private func withNode(_ place: Int32, _ event: Event, _ body: (NodeProcess) -> Void) {
        withNode(place, nodes[Int(place)].life, event, body)
    }

    /// What is meant for a paused process waits until it goes on.
    private func withNode(_ place: Int32, _ life: UInt32, _ event: Event, _ body: (NodeProcess) -> Void) {
        let node = nodes[Int(place)]
        guard let process = node.process(of: life) else { return }
        if node.condition == .paused { node.waiting.append(.event(event)) } else { body(process) }
    }

    private func deliver(_ number: Int32) {
        guard let packet = network.receive(number) else { return }
        if case .raft(let bytes) = packet.content { hash.mix(bytes) }
        guard admits(packet) else { return }
        let node = nodes[packet.to]
        switch node.condition {
        case .up: node.process?.receive(packet.content, from: packet.from)
        case .paused: node.waiting.append(.packet(packet))
        case .down, .gone: break
        }
    }

    // MARK: Handshakes

    /// Peers refuse a node that comes back under its id with another data directory. Each looks at the other when they
    /// connect; here, when the first message arrives.
    private func admits(_ packet: Packet) -> Bool {
        let (from, to) = (nodes[packet.from], nodes[packet.to])
        guard packet.toDirectory == to.incarnation else { return false }
        var isAdmitted = to.process?.admits(packet.from, packet.fromDirectory) ?? true
        if packet.fromDirectory == from.incarnation, let sender = from.process {
            isAdmitted = sender.admits(packet.to, to.incarnation) && isAdmitted
        }
        if !isAdmitted { marks.reach(.refusedByIncarnation) }
        return isAdmitted
    }

    /// Whether two processes let each other in, now.
    func knowEachOther(_ a: Int, _ b: Int) -> Bool {
        guard let one = nodes[a].process, let other = nodes[b].process else { return false }
        let (first, second) = (one.admits(b, nodes[b].incarnation), other.admits(a, nodes[a].incarnation))
        return first && second
    }

    // MARK: Pauses and restarts

    func pause(_ place: Int, for nanoseconds: UInt64) {
        let node = nodes[place]
        guard node.isUp else { return }
        marks.reach(.paused)
        say { "n\(node.id) is frozen" }
        node.condition = .paused
        node.pauses += 1
        plan(.resume(node: Int32(place), pause: node.pauses), after: nanoseconds)
    }

    /// Everything that has waited is one batch, as for a process that was stopped.
    private func resume(_ place: Int, _ pause: UInt32) {
        let node = nodes[place]
        guard node.condition == .paused, node.pauses == pause, let process = node.process else { return }
        say { "n\(node.id) goes on" }
        node.condition = .up
        let waiting = node.waiting
        node.waiting = []
        process.isHolding = true
        for item in waiting where node.process === process {
            switch item {
            case .event(let event): handle(event)
            case .request(let request): process.take(request)
            case .packet(let packet): process.receive(packet.content, from: packet.from)
            }
        }
        process.isHolding = false
        if node.process === process { process.turn() }
    }

    /// Ends a pause before its time.
    func resumeNow(_ place: Int) { resume(place, nodes[place].pauses) }

    private func restart(_ place: Int, _ life: UInt32) {
        guard nodes[place].life == life else { return }
        start(place)
    }

    // MARK: Telling

    /// Notes a line of what happens, if anybody may read it.
    func say(_ line: () -> String) { lines.append("\(now) \(line())") }
}
