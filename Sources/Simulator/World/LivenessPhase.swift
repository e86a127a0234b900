import Raft
import RaftStorage

/// After the faults: a random connected core of a majority is healed, everything else stays as it is; the core must elect a
/// leader, answer its clients and agree. Then all is healed, and all must agree.
struct LivenessPhase {
    /// In election timeouts: how long the clients go on, and how long everything may take.
    private static let clientTimeouts: UInt64 = 15
    private static let maxTimeouts: UInt64 = 60

    private let world: World
    private var random: RandomStream

    init(world: World, random: RandomStream) {
        self.world = world
        self.random = random
    }

    mutating func run() {
        world.nemesis.isOver = true
        world.network.isCalm = true
        takeWipedAway()
        guard let core = chooseCore() else {
            world.hasNoMajority = true
            return world.say { "liveness: no majority with whole disks is left" }
        }
        world.say { "liveness: core \(core.map { $0 + 1 })" }
        heal(core)
        settleOthers(core)
        directClients(to: core)
        world.workload.hurry()
        let timeout = world.options.core.electionTimeout + world.options.network.delayMean * 10
        pass(Self.clientTimeouts * timeout)
        world.workload.isEnding = true
        awaitAgreement(core, "the core", for: Self.maxTimeouts * timeout + backlogDuration(core))
        guard world.judge.violation == nil else { return }

        let all = world.nodes.indices.filter { world.nodes[$0].condition != .gone }
        heal(all)
        world.say { "liveness: all healed" }
        awaitAgreement(all, "all", for: 2 * (Self.maxTimeouts * timeout + backlogDuration(all)))
        if world.judge.violation == nil { world.marks.reach(.converged) }
        compareAll(all)
    }

    /// Who is refused by some and not by others would only disturb: by now its operator has understood.
    private func takeWipedAway() {
        for node in world.nodes where node.isWiped && node.condition != .gone {
            world.crash(node.place, because: "it is taken out of service", restart: false)
            node.end(as: .gone)
        }
    }

    // MARK: The core

    /// Random nodes until they are a majority of the latest configuration. If it is not settled yet, one of them acts by it
    /// already, and can tell the others that it is committed.
    private mutating func chooseCore() -> [Int]? {
        let membership = world.judge.latestMembership
        let whole = world.nodes.indices.filter { isWhole($0) && membership.contains(world.nodes[$0].id) }
        guard decides(whole, membership) else { return nil }
        // Empty founders, who don't vote yet, must find together by themselves, as long as the cluster is new.
        let everybody = whole.filter { !world.nodes[$0].isSuspect }
        guard decides(everybody, membership) else {
            return world.judge.committed.lastIndex == .zero ? world.nodes.indices.filter(isWhole) : nil
        }
        let informed =
            FaultAtlas.currentMemberships(in: world) == [membership]
            ? everybody : everybody.filter { world.nodes[$0].process?.membership == membership }
        // A change that may yet be applied is one more configuration to have a majority of.
        let isAsked = world.nodes.contains { $0.process?.isAskedForChange ?? false }
        guard !world.judge.hasOpenMembershipChange, !isAsked, !informed.isEmpty else {
            return world.nodes.indices.filter(isWhole)
        }
        var core = [random.pick(informed)]
        var candidates = everybody.filter { $0 != core[0] }
        while !decides(core, membership) { core.append(candidates.remove(at: random.below(candidates.count))) }
        return core.sorted()
    }

    /// What starts from a damaged disk may have to stay down.
    private func isWhole(_ place: Int) -> Bool { world.nodes[place].isWhole }

    private func decides(_ core: [Int], _ membership: Membership) -> Bool {
        membership.isDecided(by: core.map { world.nodes[$0].id })
    }

    private func heal(_ places: [Int]) {
        for place in places {
            world.becomeCalm(place)
            for other in places where other != place { world.network.restore(from: place, to: other) }
            switch world.nodes[place].condition {
            case .down: world.start(place)
            case .paused: world.resumeNow(place)
            case .up, .gone: break
            }
            world.nodes[place].process?.give(.diskFull(false))
        }
    }

    /// What stays as it is must not be half connected with the core: a leader that only some of the core hear, and that
    /// has its majority, is no failure of Raft's. With PreVote and CheckQuorum a node may also be deaf or mute towards
    /// the core and do no harm.
    private mutating func settleOthers(_ core: [Int]) {
        let isRobust = world.options.core.preVote && world.options.core.checkQuorum
        for other in world.nodes.indices where !core.contains(other) {
            let (isDeaf, isMute) = (random.chance(5_000), random.chance(5_000))
            for place in core {
                world.network.restore(from: place, to: other)
                world.network.restore(from: other, to: place)
                if isRobust ? isDeaf : isDeaf || isMute { world.network.cut(from: place, to: other) }
                if isRobust ? isMute : isDeaf || isMute { world.network.cut(from: other, to: place) }
            }
        }
    }

    /// Clients know the members: one that was removed long ago might send them to leaders that are no more.
    private func directClients(to places: [Int]) {
        let membership = world.judge.latestMembership
        let members = places.filter { membership.contains(world.nodes[$0].id) }
        world.workload.preferred = members.isEmpty ? places : members
    }

    // MARK: Waiting

    private func pass(_ nanoseconds: UInt64) {
        let end = world.now.advanced(by: nanoseconds)
        while world.now < end, world.judge.violation == nil, world.step() {}
    }

    /// What it may take to bring everybody up to the longest log, entry by entry and one at a time, as some settings have
    /// it: each there and back, and onto a disk; and to apply it.
    private func backlogDuration(_ places: [Int]) -> UInt64 {
        let last = world.nodes.compactMap { $0.process?.view.last }.max() ?? .zero
        let shortest = places.map { world.nodes[$0].process?.view.last ?? .zero }.min() ?? .zero
        let applied = places.map { world.nodes[$0].process?.view.applied ?? .zero }.min() ?? .zero
        let (network, disk) = (world.options.network, world.options.disk)
        // Some late fetches and pages, and lost messages, triple the mean.
        let isOdd = world.options.faults.contains(.buggify)
        // Where a message may take longer than an election timeout, leaders come and go by themselves, and for half of the
        // time nobody sends anything.
        let slowest = network.delayMin + RandomStream.longest(mean: network.delayMean)
        let isRestless = slowest > world.options.core.electionTimeout
        let factor: UInt64 = (isOdd ? 12 : 4) * (isRestless ? 2 : 1)
        let oneReplicated = factor * (network.delayMin + network.delayMean + disk.syncMean)
        let oneApplied = 4 * world.options.shell.applyMean + (isOdd ? world.options.core.electionTimeout / 5 : 0)
        return last.distance(from: shortest) * oneReplicated + last.distance(from: applied) * oneApplied
    }

    private func awaitAgreement(_ places: [Int], _ who: String, for nanoseconds: UInt64) {
        let end = world.now.advanced(by: nanoseconds)
        var looked = 0
        while world.judge.violation == nil, world.step() {
            looked += 1
            if looked % 64 == 0 {
                directClients(to: places)
                if hasConverged(places) { return }
            }
            if world.now >= end {
                world.judge.report(Violation(.liveness, "\(who) did not come together: \(describe(places))"))
            }
        }
    }

    /// One leader that everybody follows, nothing open, everything applied everywhere, and no joint configuration but one
    /// that waits for its operator.
    private func hasConverged(_ places: [Int]) -> Bool {
        guard world.workload.openOperations == 0, let leader = leader,
            let core = world.nodes[leader].process?.view, core.commit == core.last,
            !core.membership.isJoint || !core.membership.leavesAutomatically
        else { return false }
        return places.allSatisfy { place in
            guard core.membership.contains(world.nodes[place].id), isWhole(place) else { return true }
            return world.nodes[place].process?.view.applied == core.last
        }
    }

    /// Of the latest term; it need not be of the core, if it is up.
    private var leader: Int? {
        world.nodes.indices.filter { world.nodes[$0].process?.view.role == .leader }
            .max { term(of: $0) < term(of: $1) }
    }

    private func term(of place: Int) -> Term { world.nodes[place].process?.view.term ?? .zero }

    private func compareAll(_ places: [Int]) {
        for place in places {
            guard let process = world.nodes[place].process, let tree = process.stateTree else { continue }
            world.judge.compareState(tree, at: process.position.id.index, on: place, surely: true)
        }
    }

    private func describe(_ places: [Int]) -> String {
        let nodes = places.map { place -> String in
            guard let core = world.nodes[place].process?.core else {
                return "n\(place + 1) \(world.nodes[place].condition)"
            }
            let status = core.status
            return """
                n\(place + 1) \(status.role.rawValue) term \(status.term) last \(status.lastIndex) commit \
                \(status.commitIndex) applied \(status.appliedIndex) voters \(status.membership.voters)
                """
        }
        return "\(world.workload.openOperations) operations open; " + nodes.joined(separator: "; ")
    }
}
