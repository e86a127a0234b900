import Raft

/// Several faults one after the other, each at the moment when it hurts. By chance alone they hardly ever meet.
///
/// Most are for stale reads: those need a leader that hears nothing any more, a successor that is elected before the first
/// one notices or its lease ends, and a client that still asks the first one.
enum Ambush: CaseIterable {
    /// The leader is cut off.
    case silence
    /// The leader hands over, and is cut off before it hears of its successor.
    case handOver
    /// What is sent to the leader comes late; meanwhile it hands over.
    case lateAnswers
    /// One node does not hear the leader any more; those who do restart, and may have forgotten it.
    case amnesia
    /// A leader hands over to one that a third ceases to hear; what it had told the third arrives long after.
    case oldWords
    /// The leader stands still for about as long as its lease lasts.
    case nap
    /// A leader and a follower are cut off, and write on; the others replace what they wrote, and the leader leads again.
    /// Then the follower's old acknowledgements arrive.
    case oldAnswers

    /// In fewer, no follower can acknowledge what the others may replace.
    fileprivate static let votersForOldAnswers = 5
}

extension Nemesis {
    /// What an ambush still has to do.
    enum Trap {
        case cutOff(place: Int)
        case restart(place: Int)
        case handOver(from: Int, to: Int?)
        /// Whoever leads then hands over to this one, which gets writes if it is the leader.
        case handBack(to: Int)
        case separate(Int, Int, nanoseconds: UInt64)
        case cut(from: Int, to: Int, nanoseconds: UInt64)
        case clog(from: Int, to: Int, nanoseconds: UInt64)
        case farewellWrites(leader: Int, leaving: Int)
    }

    func ambush() {
        guard let leader = leader(), world.nodes[leader].isUp else { return }
        let others = voters(but: leader)
        let isLarge = others.count + 1 >= Ambush.votersForOldAnswers
        let ambush = random.pick(Ambush.allCases.filter { $0 != .oldAnswers || isLarge })
        guard others.count > 1, ambush.isPossible(with: world.options) else { return }
        ambushEnd = world.now.advanced(by: UInt64(ambush.timeouts) * world.options.core.electionTimeout)
        world.marks.reach(.ambushed)
        world.say { "ambush on n\(leader + 1): \(ambush)" }
        let third = random.pick(others)
        let timeout = world.options.core.electionTimeout
        switch ambush {
        case .silence:
            spoilClocks(leader, others)
            cutOff(leader)
        case .handOver:
            handOver(leader)
            later(random.below(3 * Nanoseconds.perMillisecond), .cutOff(place: leader))
        case .lateAnswers:
            let end = world.now.advanced(by: timeout / 4 + random.below(timeout / 2))
            for other in others { world.network.clog(from: other, to: leader, until: end) }
            later(random.below(2 * Nanoseconds.perMillisecond), .handOver(from: leader, to: nil))
        case .amnesia: layAmnesia(leader, others, third)
        case .oldWords: sendOldWords(leader, others, third)
        case .nap:
            spoilClocks(leader, others)
            world.pause(leader, for: timeout / 2 + random.below(timeout))
        case .oldAnswers: keepOldAnswers(leader, third)
        }
    }

    /// The leader's clock is slow, the others' are fast.
    private func spoilClocks(_ leader: Int, _ others: [Int]) {
        let drift = world.options.clock.maxDrift
        guard drift > 0 else { return }
        for place in [leader] + others {
            world.nodes[place].clock.run(at: place == leader ? 1_000_000 - drift : 1_000_000 + drift, from: world.now)
            world.nodes[place].process?.clockChanged()
        }
    }

    private func layAmnesia(_ leader: Int, _ others: [Int], _ third: Int) {
        let timeout = world.options.core.electionTimeout
        separate(leader, third, for: 4 * timeout)
        for other in others where other != third {
            for part in 2...7 {
                later(UInt64(part) * timeout / 2 + random.below(timeout / 2), .restart(place: other))
            }
        }
    }

    /// The third follows the heir, until it does not hear it any more; then it campaigns in vain, into ever later terms. Of
    /// these the old words bring an answer, at a time when the heir does not reach the old leader for a moment. Nobody
    /// writes, so that the third's log is as good as theirs.
    private func sendOldWords(_ leader: Int, _ others: [Int], _ third: Int) {
        let timeout = world.options.core.electionTimeout
        let heir = random.pick(others.filter { $0 != third })
        let arrival = 7 * timeout / 2
        spoilClocks(heir, [leader, third])
        world.network.clog(from: leader, to: third, until: world.now.advanced(by: arrival))
        later(timeout / 4, .handOver(from: leader, to: heir))
        later(timeout, .separate(heir, third, nanoseconds: 4 * timeout))
        later(arrival - timeout / 20, .clog(from: heir, to: leader, nanoseconds: timeout))
        world.workload.quietUntil = world.now.advanced(by: 5 * timeout)
    }

    /// The follower hears nothing of what comes after its acknowledgements, so that its disk shows what they are worth.
    private func keepOldAnswers(_ leader: Int, _ follower: Int) {
        let timeout = world.options.core.electionTimeout
        world.network.clog(from: follower, to: leader, until: world.now.advanced(by: 7 * timeout))
        world.workload.flood(leader, count: 10)
        for other in world.nodes.indices where other != leader && other != follower {
            separate(other, leader, for: 3 * timeout)
            separate(other, follower, for: 8 * timeout)
        }
        later(5 * timeout / 2, .cut(from: leader, to: follower, nanoseconds: 6 * timeout))
        later(4 * timeout, .handBack(to: leader))
        later(5 * timeout, .handBack(to: leader))
        later(6 * timeout, .handBack(to: leader))
    }

    /// Those who belong to the group with the leader.
    private func voters(but leader: Int) -> [Int] {
        guard let membership = world.nodes[leader].process?.view.membership else { return [] }
        return world.nodes.indices.filter { $0 != leader && membership.isVoter(world.nodes[$0].id) }
    }

    private func handBack(to heir: Int) {
        guard let leader = leader(), world.nodes[leader].isUp else { return }
        if leader == heir { world.workload.flood(leader, count: 10) } else { handOver(leader, to: heir) }
    }

    private func handOver(_ leader: Int, to heir: Int? = nil) {
        world.nodes[leader].process?.give(.transferRequested(to: heir.map { world.nodes[$0].id }))
    }

    private func cutOff(_ place: Int) { cut(Partition.full([place], of: world.nodes.count).cuts, for: duration()) }

    private func separate(_ a: Int, _ b: Int, for nanoseconds: UInt64) {
        cut([.init(from: a, to: b), .init(from: b, to: a)], for: nanoseconds)
    }

    /// A snapshot is wanted. Now and then its maker hands over and applies its successor's entries before it comes to it,
    /// while the receiver hears of the later term from nobody.
    ///
    /// - Returns: how much longer than usual the snapshot takes to be made.
    func snapshotWanted(by maker: Int, for receiver: Int) -> UInt64 {
        let kinds: [FaultKind] = [.partial, .transfer]
        guard !isOver, kinds.allSatisfy({ world.options.faults.contains($0) }), snapshotRandom.chance(1_000) else {
            return 0
        }
        let timeout = world.options.core.electionTimeout
        world.say { "ambush on n\(receiver + 1), which is to get a snapshot" }
        for other in world.nodes.indices where other != maker && other != receiver {
            separate(other, receiver, for: 4 * timeout)
        }
        later(Nanoseconds.perMillisecond, .handOver(from: maker, to: nil))
        return timeout
    }

    // MARK: Later

    func later(_ pause: UInt64, _ trap: Trap) {
        world.plan(.faultOver(ongoing.insert(.trap(trap))), after: pause)
    }

    func spring(_ trap: Trap) {
        guard !isOver else { return }
        switch trap {
        case .cutOff(let place): cutOff(place)
        case .restart(let place):
            guard world.nodes[place].isUp else { return }
            let pause = random.duration(mean: 2 * Nanoseconds.perMillisecond)
            world.crash(place, because: "it is restarted", restart: true, after: pause)
        case .handOver(let leader, let heir): if world.nodes[leader].isUp { handOver(leader, to: heir) }
        case .handBack(let heir): handBack(to: heir)
        case .separate(let a, let b, let nanoseconds): separate(a, b, for: nanoseconds)
        case .cut(let from, let to, let nanoseconds): cut([.init(from: from, to: to)], for: nanoseconds)
        case .clog(let from, let to, let nanoseconds):
            world.network.clog(from: from, to: to, until: world.now.advanced(by: nanoseconds))
        case .farewellWrites(let leader, let leaving): writeFarewell(leader, leaving)
        }
    }
}

extension Ambush {
    /// How long nothing else should disturb it.
    fileprivate var timeouts: Int {
        switch self {
        case .silence, .handOver, .lateAnswers, .nap: 1
        case .amnesia: 4
        case .oldWords: 5
        case .oldAnswers: 8
        }
    }

    fileprivate func isPossible(with options: SwarmOptions) -> Bool {
        // With PreVote nobody comes into later terms in vain.
        if self == .oldWords, options.core.preVote { return false }
        return kinds.allSatisfy { options.faults.contains($0) }
    }

    /// The kinds of faults that it is made of.
    private var kinds: [FaultKind] {
        switch self {
        case .silence: [.isolatedLeader]
        case .handOver: [.transfer, .isolatedLeader]
        case .lateAnswers: [.transfer, .clog]
        case .amnesia: [.partial, .crash]
        case .oldWords: [.transfer, .partial, .clog]
        case .nap: [.pause]
        case .oldAnswers: [.partial, .transfer, .clog]
        }
    }
}
