extension SwarmOptions {
    /// What the command line fixes; `nil` leaves it to the seed. The draws stay the same whatever is fixed.
    package struct Limits: Hashable, Sendable {
        package var nodes: Int?
        package var clients: Int?
        /// Kinds of faults that may exist.
        package var faults = FaultSet.all
        /// Plain Raft elections, as traces for the TLA+ specification need them.
        package var withoutPreVote = false

        package init() {}
    }

    /// Lower seeds are named by tests and mutants for what they found without.
    private static let firstWithDeferredCommits: UInt64 = 10_000

    /// The options of a seed.
    package static func drawn(seed: UInt64, events: Int, limits: Limits = Limits()) -> SwarmOptions {
        var random = RandomStream(seed: seed).fork(.options)
        // Three is what most run; one and two have paths of their own.
        let nodes = random.pick([1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 7])
        let clients = random.integer(in: 1...6)
        var options = SwarmOptions(
            seed: seed, events: events, nodes: limits.nodes ?? nodes, clients: limits.clients ?? clients,
            faults: drawFaults(&random).intersection(limits.faults))
        options.drawNetwork(&random)
        options.drawDisk(&random)
        options.drawClock(&random)
        options.drawCore(&random)
        options.drawShell(&random)
        options.drawWorkload(&random)
        options.faultInterval = random.pick([40, 100, 200, 500]) * Nanoseconds.perMillisecond
        options.faultDuration = random.pick([50, 150, 400, 1_000]) * Nanoseconds.perMillisecond
        options.drawFlood(&random)
        options.drawHunt(&random, limits)
        options.drawWildClocks(&random)
        options.core.defersCommitNotices = random.chance(5_000) && seed >= firstWithDeferredCommits
        if limits.withoutPreVote { options.core.preVote = false }
        return options
    }

    /// Only leases count on clocks: without them, nothing must suffer if one runs three times as fast as another. (But without
    /// PreVote, whoever has the fastest clock campaigns before everybody else does, again and again, even if its log is
    /// too short: that is a matter of the timing that Raft asks for.)
    private mutating func drawWildClocks(_ random: inout RandomStream) {
        let isWild = random.chance(3_000)
        if isWild, faults.contains(.drift), !core.leaseReads, core.preVote { clock.maxDrift = 500_000 }
    }

    /// In half of the runs with floods the state machines are so slow that the limit of what is not applied is reached.
    private mutating func drawFlood(_ random: inout RandomStream) {
        let (padding, hasBacklog) = (random.pick([0, 100, 1_000]), random.chance(5_000))
        guard faults.contains(.flood) else { return }
        workload.floodPadding = hasBacklog ? 8_000 : padding
        guard hasBacklog else { return }
        (core.maxUnappliedBytes, core.maxUncommittedBytes) = (512 << 10, 1 << 20)
        (shell.maxPageEntries, shell.applyMean) = (1, 3 * Nanoseconds.perMillisecond)
    }

    /// One run in six hunts for stale reads: many of them, mostly with leases, while leaders come and go in quick
    /// succession and don't hear of each other.
    private mutating func drawHunt(_ random: inout RandomStream, _ limits: Limits) {
        let wantsHunt = random.below(6) == 0
        let (interval, duration) = (random.pick([80, 150]), random.pick([50, 150]))
        let (wantsLeases, wantsPreVote) = (random.below(3) > 0, random.below(3) == 0)
        let wantsThree = random.below(3) > 0
        guard wantsHunt else { return }
        // Where everybody counts, most goes wrong.
        if wantsThree, limits.nodes == nil { nodes = 3 }
        guard nodes >= 3 else { return }
        isHunt = true
        let kinds: [FaultKind] = [
            .isolatedLeader, .partial, .transfer, .crash, .clog, .reordering, .loss, .drift, .pause,
        ]
        faults = FaultSet(faults.kinds + kinds).intersection(limits.faults)
        faults.remove(.jump)
        clock.maxJump = 0
        if faults.contains(.drift) { clock.maxDrift = 99_000 }
        if faults.contains(.loss) { network.loss = 50 }
        if faults.contains(.reordering) { network.straggler = 100 }
        (network.delayMin, network.delayMean) = (50 * Nanoseconds.perMicrosecond, 500 * Nanoseconds.perMicrosecond)
        disk.syncMean = 200 * Nanoseconds.perMicrosecond
        core.preVote = wantsPreVote
        if wantsLeases { (core.checkQuorum, core.leaseReads) = (true, true) }
        faultInterval = UInt64(interval) * Nanoseconds.perMillisecond
        faultDuration = UInt64(duration) * Nanoseconds.perMillisecond
        clients = limits.clients ?? 10
        workload.thinkMean = 8 * Nanoseconds.perMillisecond
        workload.readers = 8_000
    }

    /// One run in eight has no faults at all, one in eight all of them.
    private static func drawFaults(_ random: inout RandomStream) -> FaultSet {
        let style = random.below(8)
        let share = random.pick([1_500, 3_000, 5_000])
        let drawn = FaultSet(FaultKind.allCases.filter { _ in random.chance(share) })
        return style == 0 ? FaultSet() : style == 1 ? .all : drawn
    }

    private mutating func drawNetwork(_ random: inout RandomStream) {
        network.delayMin = random.pick([0, 50, 200, 2_000]) * Nanoseconds.perMicrosecond
        network.delayMean = random.pick([100, 500, 2_000, 8_000]) * Nanoseconds.perMicrosecond
        let (loss, duplication) = (random.pick([10, 100, 500, 1_500]), random.pick([50, 500, 2_000]))
        let (straggler, capacity) = (random.pick([50, 300, 1_000]), random.pick([2, 5, 20]))
        if faults.contains(.loss) { network.loss = loss }
        if faults.contains(.duplication) { network.duplication = duplication }
        if faults.contains(.reordering) { network.straggler = straggler }
        if faults.contains(.capacity) { network.capacity = capacity }
    }

    private mutating func drawDisk(_ random: inout RandomStream) {
        disk.syncMean = random.pick([20, 200, 1_000, 5_000]) * Nanoseconds.perMicrosecond
        disk.crashLosesAll = random.pick([0, 3_000, 10_000])
        let (slow, failure) = (random.pick([20, 200, 1_000]), random.pick([2, 10]))
        if faults.contains(.slowDisk) { disk.slow = slow }
        if faults.contains(.failedSync) { disk.syncFailure = failure }
    }

    private mutating func drawClock(_ random: inout RandomStream) {
        let (drift, jump) = (random.pick([10_000, 50_000, 99_000]), random.pick([20, 150, 2_000]))
        if faults.contains(.drift) { clock.maxDrift = UInt64(drift) }
        if faults.contains(.jump) { clock.maxJump = UInt64(jump) * Nanoseconds.perMillisecond }
    }

    private mutating func drawCore(_ random: inout RandomStream) {
        core.preVote = random.below(4) > 0
        core.checkQuorum = random.below(4) > 0
        core.maxAppendBytes = random.pick([1, 200, 1_000, 256 << 10])
        core.maxInflightMessages = random.pick([1, 2, 4, 64])
        core.maxInflightBytes = random.pick([300, 2_000, 8 << 20])
        core.maxUncommittedBytes = random.pick([500, 5_000, 1 << 20])
        core.maxApplyBytes = random.pick([1, 500, 1 << 20])
        core.entryCacheBytes = random.pick([0, 300, 5_000, 1 << 20])
        core.diskStallLimit = random.pick([120, 500]) * Nanoseconds.perMillisecond
        let retained = random.pick([0, 3, 10, 50, 300])
        if faults.contains(.compaction) { core.maxRetainedEntries = retained }
        // Leases assume that clocks never jump, and need CheckQuorum.
        let wantsLeases = random.below(3) == 0
        core.leaseReads = wantsLeases && core.checkQuorum && !faults.contains(.jump)
    }

    private mutating func drawShell(_ random: inout RandomStream) {
        shell.maxPageEntries = random.pick([1, 3, 16, 64])
        shell.applyMean = random.pick([5, 50, 500, 3_000]) * Nanoseconds.perMicrosecond
        shell.flushEvery = random.pick([3, 10, 50, 200])
        shell.slackEntries = random.pick([0, 2, 10, 50])
        shell.batching = random.pick([0, 0, 1_000, 5_000])
        shell.snapshotChunkBytes = random.pick([64, 300, 4_096])
    }

    private mutating func drawWorkload(_ random: inout RandomStream) {
        workload.keys = random.pick([1, 2, 5, 20])
        workload.thinkMean = random.pick([1, 5, 20, 100]) * Nanoseconds.perMillisecond
        workload.patience = random.pick([50, 150, 400, 1_000]) * Nanoseconds.perMillisecond
        workload.reads = random.pick([1_000, 4_000, 7_000])
        workload.sessions = random.pick([0, 5_000, 10_000])
        workload.padding = random.pick([0, 0, 30, 300])
    }
}
