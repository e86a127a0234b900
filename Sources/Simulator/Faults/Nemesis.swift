import Raft
import RaftStorage

/// The environment: it breaks links, disks, clocks and processes, and changes the group, as the run's fault kinds allow.
final class Nemesis {
    /// Trouble that ends by itself.
    enum Ongoing {
        case partition(Partition)
        case fullDisk(place: Int, life: UInt32)
        /// Not trouble, but what makes it worse: writes for the leader whom the others have elected meanwhile.
        case newLeadersWrites(Int)
        /// Those who were removed are switched off.
        case farewell
        /// The rest of an ambush.
        case trap(Trap)
    }

    /// A write that is under way when the faults end must come to its end soon.
    private static let maxStall = Nanoseconds.perSecond

    unowned let world: World
    var random: RandomStream
    /// Of its own, so that snapshots move no other draw.
    var snapshotRandom: RandomStream
    /// The same for leaders that are left alone.
    var lonelyRandom: RandomStream
    var ongoing = Slab<Ongoing>()
    /// No more trouble: the liveness phase has begun.
    var isOver = false
    var membership: MembershipAdmin
    /// Until then an ambush is under way.
    var ambushEnd = WorldTime.zero

    init(world: World, random: RandomStream) {
        self.world = world
        self.random = random
        snapshotRandom = random.fork(.faults)
        lonelyRandom = random.fork(.membership, 1)
        membership = MembershipAdmin(random: random.fork(.membership))
    }

    func begin() { planNext() }

    private func planNext() { world.plan(.nemesis, after: random.duration(mean: world.options.faultInterval)) }

    func act() {
        guard !isOver else { return }
        planNext()
        membership.act(in: world)
        let kinds = world.options.faults.kinds
        guard !kinds.isEmpty else { return }
        if world.now < ambushEnd { return }
        if world.options.isHunt, random.chance(6_000) { ambush() } else { commit(random.pick(kinds)) }
    }

    private func commit(_ kind: FaultKind) {
        switch kind {
        // Properties of links and disks, there all the time.
        case .loss, .duplication, .reordering, .capacity, .slowDisk, .failedSync, .compaction, .buggify: break
        case .clog: clog()
        case .partition, .oneWay, .bridge, .isolatedLeader, .partial: partition(kind)
        case .crash: crash()
        case .pause: if let node = anyUp() { world.pause(node, for: duration()) }
        case .drift: drift()
        case .jump: jump()
        case .stalledDisk: stall()
        case .fullDisk: fillDisk()
        case .corruption: damage()
        case .lostDisk: loseDisk()
        case .membership: if !leaveAlone() { membership.change(in: world) }
        case .transfer: transfer()
        case .flood: if let leader = leader() { world.workload.flood(leader, count: random.pick([10, 50, 150])) }
        }
    }

    func duration() -> UInt64 { random.duration(mean: world.options.faultDuration) }

    private func anyUp() -> Int? {
        let up = world.nodes.indices.filter { world.nodes[$0].isUp }
        return up.isEmpty ? nil : random.pick(up)
    }

    // MARK: Links

    private func clog() {
        let (from, to) = (random.below(world.nodes.count), random.below(world.nodes.count))
        guard from != to else { return }
        world.network.clog(from: from, to: to, until: world.now.advanced(by: duration()))
    }

    private func partition(_ kind: FaultKind) {
        let count = world.nodes.count
        guard count > 1, let partition = drawPartition(kind, of: count) else { return }
        world.marks.reach(.partitioned)
        world.say { "partition \(kind.rawValue): \(partition)" }
        let mayFlood = kind == .isolatedLeader && !world.options.isHunt
        let writes = mayFlood && random.chance(5_000) ? floodBothSides() : 0
        cut(partition.cuts, for: duration() + writes)
    }

    func cut(_ cuts: [Partition.Pair], for nanoseconds: UInt64) {
        for cut in cuts { world.network.cut(from: cut.from, to: cut.to) }
        world.plan(.faultOver(ongoing.insert(.partition(Partition(cuts: cuts)))), after: nanoseconds)
    }

    /// A leader whose clients stay with it goes on for a while, and its log becomes longer than everybody else's. The
    /// others elect a new one, which gets fewer writes, but enough to cut its log.
    ///
    /// - Returns: how long that takes at the least.
    private func floodBothSides() -> UInt64 {
        guard let leader = leader() else { return 0 }
        let count = random.pick([10, 50, 150])
        world.workload.flood(leader, count: count)
        let timeout = world.options.core.electionTimeout
        world.plan(.faultOver(ongoing.insert(.newLeadersWrites(count / 2))), after: 4 * timeout)
        return 6 * timeout
    }

    private func drawPartition(_ kind: FaultKind, of count: Int) -> Partition? {
        let side = (0..<count).filter { _ in random.chance(5_000) }
        switch kind {
        case .oneWay: return .oneWay(from: side, of: count)
        case .bridge: return count > 2 ? .bridge(side, over: random.below(count), of: count) : nil
        case .isolatedLeader: return leader().map { .full([$0], of: count) }
        case .partial:
            let (a, b) = (random.below(count), random.below(count))
            return a == b ? nil : Partition(cuts: [.init(from: a, to: b), .init(from: b, to: a)])
        default: return .full(side, of: count)
        }
    }

    /// The leader of the latest term.
    func leader() -> Int? {
        world.nodes.indices.filter { world.nodes[$0].process?.view.role == .leader }
            .max { term(of: $0) < term(of: $1) }
    }

    private func term(of place: Int) -> Term { world.nodes[place].process?.view.term ?? .zero }

    // MARK: Nodes

    private func crash() {
        if random.chance(500) {
            for place in world.nodes.indices { world.crash(place, because: "power is lost everywhere", restart: true) }
        } else if random.chance(3_000), let leader = leader() {
            world.crash(leader, because: "the leader is killed", restart: true)
        } else if let place = anyUp() {
            world.crash(place, because: "it is killed", restart: true)
        }
    }

    private func drift() {
        guard let place = anyUp() else { return }
        world.nodes[place].clock.run(at: world.drawRate(), from: world.now)
        world.nodes[place].process?.clockChanged()
    }

    private func jump() {
        guard let place = anyUp() else { return }
        world.marks.reach(.clockJumped)
        world.nodes[place].clock.jump(ahead: random.below(world.options.clock.maxJump), at: world.now)
        world.nodes[place].process?.clockChanged()
    }

    /// A bit rots while its node is down.
    private func damage() {
        guard let place = anyUp(), FaultAtlas.maySpoil(place, in: world) else { return }
        world.crash(place, because: "it is killed, and its disk rots", restart: true)
        let disk = world.nodes[place].disk
        let names = disk.familyNames
        // Most bytes are the log's and the state's.
        let rarer = random.pick(names)
        let family = random.chance(5_000) ? .raft : random.chance(6_000) ? names.last ?? .raft : rarer
        if disk.flipBit(in: family, &random) {
            world.say { "a bit of n\(place + 1)'s \(family) has flipped" }
            world.nodes[place].isDamaged = true
        }
    }

    /// A machine loses its disk. Mostly it is replaced by another, under an id of its own; now and then its operator
    /// does what must not be done, and starts it on an empty disk as before.
    private func loseDisk() {
        guard let place = anyUp(), FaultAtlas.maySpoil(place, in: world) else { return }
        if place < world.founders.voters.count, world.founders.voters.count > 1, random.chance(4_000),
            FaultAtlas.mayWipe(place, in: world)
        {
            return world.wipe(place)
        }
        world.crash(place, because: "its disk is lost", restart: false)
        world.nodes[place].end(as: .gone)
        world.marks.reach(.diskLost)
    }

    private func stall() {
        guard let place = anyUp() else { return }
        world.stalledUntil[place] = world.now.advanced(by: min(duration(), Self.maxStall))
    }

    private func fillDisk() {
        guard let place = anyUp(), let process = world.nodes[place].process else { return }
        let isSudden = random.chance(4_000)
        world.say { "n\(place + 1)'s disk is full\(isSudden ? ", without a warning" : "")" }
        if isSudden {
            // Something else has taken the reserve: the next write fails.
            world.nodes[place].disk.isFull = true
        } else {
            world.marks.reach(.diskFilled)
            world.nodes[place].disk.isNearlyFull = true
            process.give(.diskFull(true))
        }
        let end = ongoing.insert(.fullDisk(place: place, life: process.life))
        world.plan(.faultOver(end), after: duration())
    }

    private func transfer() {
        guard let leader = leader(), let process = world.nodes[leader].process, world.nodes[leader].isUp else { return }
        let target = random.chance(3_000) ? nil : NodeID(UInt64(random.below(world.nodes.count) + 1))
        world.say { "n\(leader + 1) is to hand over to \(target.map { "n\($0)" } ?? "anyone")" }
        process.give(.transferRequested(to: target))
    }

    // MARK: Ends

    func end(_ number: Int32) {
        switch ongoing.remove(number) {
        case .partition(let partition):
            guard !isOver else { return }
            for cut in partition.cuts { world.network.heal(from: cut.from, to: cut.to) }
        case .newLeadersWrites(let count): if let leader = leader() { world.workload.flood(leader, count: count) }
        case .trap(let trap): spring(trap)
        case .farewell: if !isOver { destroyRemoved() }
        case .fullDisk(let place, let life):
            world.nodes[place].disk.isFull = false
            world.nodes[place].disk.isNearlyFull = false
            world.nodes[place].process(of: life)?.give(.diskFull(false))
        }
    }

    // MARK: Membership

    func learnerCaughtUp(_ learner: NodeID) { membership.promote(learner) }

    func membershipChanged(_ new: Membership, on node: NodeID) {
        membership.saw(new)
        sayFarewell()
        strikeFirst(node, new)
    }

    /// The first to know of a change, its leader, is cut off before it can tell the others.
    private func strikeFirst(_ node: NodeID, _ new: Membership) {
        guard !isOver, world.options.faults.contains(.partition), let place = world.place(of: node),
            world.nodes[place].process?.view.role == .leader, random.chance(new.isVoter(node) ? 500 : 4_000)
        else { return }
        world.say { "n\(node) is cut off before it can tell the others of the change" }
        cut(Partition.full([place], of: world.nodes.count).cuts, for: duration())
    }

    func membershipSettled(seenBy node: NodeID) { sayFarewell() }

    /// Operators switch machines off as soon as they may.
    private func sayFarewell() {
        guard world.options.faults.contains(.lostDisk), random.chance(2_500) else { return }
        let pause = random.duration(mean: 5 * Nanoseconds.perMillisecond)
        world.plan(.faultOver(ongoing.insert(.farewell)), after: pause)
    }

    /// Sometimes somebody who stays loses power with them.
    private func destroyRemoved() {
        let current = world.judge.currentMemberships
        for node in world.nodes where node.isUp && !current.contains(where: { $0.contains(node.id) }) {
            // Those that have applied nothing are about to join.
            guard node.process?.view.applied ?? .zero > .zero, FaultAtlas.maySpoil(node.place, in: world) else {
                continue
            }
            world.crash(node.place, because: "it was removed, and is destroyed", restart: false)
            node.end(as: .gone)
            world.marks.reach(.removedDestroyed)
        }
        guard world.options.faults.contains(.crash), random.chance(5_000), let place = anyUp() else { return }
        world.crash(place, because: "its power is cut with that of those who leave", restart: true)
    }
}
