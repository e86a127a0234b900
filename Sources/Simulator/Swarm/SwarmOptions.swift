/// Everything that distinguishes one run from another: drawn from the seed, then narrowed by what the command line fixes.
///
/// Times are in nanoseconds, chances in parts of 10,000.
package struct SwarmOptions: Hashable, Sendable {
    package var seed: UInt64
    /// Events of the safety phase.
    package var events: Int
    /// Voters at the beginning.
    package var nodes: Int
    package var clients: Int
    package var faults: FaultSet

    package var network = NetworkOptions()
    package var disk = DiskOptions()
    package var clock = ClockOptions()
    package var core = CoreOptions()
    package var shell = ShellOptions()
    package var workload = WorkloadOptions()

    /// The nemesis lays ambushes, and clocks are as wrong as they may be.
    package var isHunt = false

    /// Mean time between two acts of the nemesis.
    package var faultInterval: UInt64 = 150 * Nanoseconds.perMillisecond
    /// Mean time for which a fault lasts.
    package var faultDuration: UInt64 = 400 * Nanoseconds.perMillisecond

    package struct NetworkOptions: Hashable, Sendable {
        package var delayMin: UInt64 = 100 * Nanoseconds.perMicrosecond
        package var delayMean: UInt64 = Nanoseconds.perMillisecond
        package var loss = 0
        package var duplication = 0
        /// Chance that a message takes ten times as long, and others overtake it.
        package var straggler = 0
        /// Messages that a link holds; more are lost.
        package var capacity = Int.max
    }

    package struct DiskOptions: Hashable, Sendable {
        package var syncMean: UInt64 = 500 * Nanoseconds.perMicrosecond
        /// Chance that a sync takes 50 times as long.
        package var slow = 0
        package var syncFailure = 0
        /// Chance that a crash leaves none of the unsynced writes, rather than some.
        package var crashLosesAll = 3_000
    }

    package struct ClockOptions: Hashable, Sendable {
        /// How far a clock's rate may be from true time, in parts per million.
        package var maxDrift: UInt64 = 0
        package var maxJump: UInt64 = 0
    }

    package struct CoreOptions: Hashable, Sendable {
        package var electionTimeout: UInt64 = 100 * Nanoseconds.perMillisecond
        package var heartbeatInterval: UInt64 = 20 * Nanoseconds.perMillisecond
        package var preVote = true
        package var checkQuorum = true
        package var leaseReads = false
        package var maxAppendBytes = 256 << 10
        package var maxInflightMessages = 64
        package var maxInflightBytes = 8 << 20
        package var maxUncommittedBytes = 1 << 20
        package var maxUnappliedBytes = 256 << 20
        package var maxApplyBytes = 1 << 20
        package var entryCacheBytes = 1 << 20
        package var defersCommitNotices = false
        package var maxRetainedEntries = 1_000_000
        package var diskStallLimit: UInt64 = 500 * Nanoseconds.perMillisecond
    }

    package struct ShellOptions: Hashable, Sendable {
        /// Entries that the applier takes at once.
        package var maxPageEntries = 64
        package var applyMean: UInt64 = 50 * Nanoseconds.perMicrosecond
        /// The state is flushed after so many entries.
        package var flushEvery = 200
        /// Entries that stay in the log below the point where it could be cut.
        package var slackEntries = 50
        /// Chance that an event waits for others in the inbox instead of being taken at once.
        package var batching = 0
        /// Bytes of one piece of a snapshot.
        package var snapshotChunkBytes = 512
    }

    package struct WorkloadOptions: Hashable, Sendable {
        package var keys = 4
        /// Mean time that a client thinks between two operations.
        package var thinkMean: UInt64 = 10 * Nanoseconds.perMillisecond
        /// How long a client waits for an answer before it tries again elsewhere.
        package var patience: UInt64 = 300 * Nanoseconds.perMillisecond
        /// Share of reads, in parts of 10,000.
        package var reads = 4_000
        /// Share of clients with exactly-once sessions, in parts of 10,000.
        package var sessions = 5_000
        /// Share of clients that only read, in parts of 10,000.
        package var readers = 1_000
        /// Bytes that are added to each value.
        package var padding = 0
        /// The same for the values of a flood.
        package var floodPadding = 0
    }

    package init(seed: UInt64, events: Int, nodes: Int, clients: Int, faults: FaultSet) {
        self.seed = seed
        self.events = events
        self.nodes = nodes
        self.clients = clients
        self.faults = faults
    }
}

extension SwarmOptions: CustomStringConvertible {
    /// The option vector of a failure line.
    package var description: String {
        var parts = isHunt ? ["hunt"] : []
        parts.append("nodes=\(nodes) clients=\(clients) faults=\(faults)")
        parts.append("prevote=\(core.preVote) checkquorum=\(core.checkQuorum) lease=\(core.leaseReads)")
        parts.append("delay=\(network.delayMean / 1_000)us loss=\(network.loss) dup=\(network.duplication)")
        parts.append("straggler=\(network.straggler) sync=\(disk.syncMean / 1_000)us slow=\(disk.slow)")
        parts.append("drift=\(clock.maxDrift)ppm append=\(core.maxAppendBytes) inflight=\(core.maxInflightMessages)")
        parts.append("deferscommits=\(core.defersCommitNotices)")
        parts.append("uncommitted=\(core.maxUncommittedBytes) unapplied=\(core.maxUnappliedBytes)")
        parts.append("cache=\(core.entryCacheBytes) apply=\(core.maxApplyBytes) retained=\(core.maxRetainedEntries)")
        parts.append("page=\(shell.maxPageEntries)")
        parts.append("flush=\(shell.flushEvery) slack=\(shell.slackEntries) batching=\(shell.batching)")
        parts.append("keys=\(workload.keys) reads=\(workload.reads) readers=\(workload.readers)")
        parts.append("sessions=\(workload.sessions)")
        return parts.joined(separator: " ")
    }
}
