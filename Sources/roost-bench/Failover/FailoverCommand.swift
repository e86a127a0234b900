import ArgumentParser
import Foundation

/// How long nobody can write when a leader crashes, and whether a loaded cluster keeps its leader.
struct FailoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover", abstract: "Measure how long writers wait after kill -9 of the leader.",
        discussion: """
            Three nodes; one client at each of the two that survive writes one key after the other. The leader is \
            killed; the gap is the longest time between two acknowledgements that either client saw. The node is \
            started again, and the next leader's turn comes.

            With --steady no leader is killed: the cluster is under full load for that long, and the figure is the \
            number of terms that have passed.
            """)

    @OptionGroup var options: MemberOptions
    @Option(help: "Kills of which the median is taken.") var trials = 20
    @Option(help: ArgumentHelp("Full load instead, seconds or minutes: 90s, 10m.", valueName: "time"))
    var steady: TimeSpan?
    @Option(help: "Connections of that load.") var connections = 64
    @Option(help: "Requests under way on each of them.") var pipeline = 16

    func validate() throws {
        guard (1...10_000).contains(trials) else { throw ValidationError("--trials: expected 1 to 10000") }
        guard (1...10_000).contains(connections), (1...1_024).contains(pipeline) else {
            throw ValidationError("--connections: expected 1 to 10000, --pipeline: 1 to 1024")
        }
    }

    func run() throws {
        try options.measure { roostd, folder in
            let cluster = try Ensemble(roostd: roostd, folder: folder)
            defer { cluster.stop() }
            Progress.say("writing the keys")
            let leader = LoopbackAddress(port: try cluster.leader().redis)
            if options.keys > 0 {
                try LoadGenerator.fill(leader, records: options.keys, valueBytes: options.valueBytes)
            }
            if let steady { try holdSteady(cluster, steady) } else { try kill(cluster) }
        }
    }

    // MARK: Kills

    private func kill(_ cluster: Ensemble) throws {
        var progress = Progress(total: trials)
        var gaps: [Double] = []
        for trial in 1...trials {
            progress.step("kill \(trial) of \(trials)")
            let gap = try gap(cluster)
            gaps.append(gap)
            progress.note("kill \(trial): \(Table.decimals(gap, 1)) ms")
        }
        progress.end()
        let sorted = gaps.sorted()
        print(
            "write gap of \(trials) kills of the leader: median \(Table.decimals(median(gaps) ?? 0, 1)) ms, shortest "
                + "\(Table.decimals(sorted[0], 1)) ms, longest \(Table.decimals(sorted[sorted.count - 1], 1)) ms")
    }

    private func gap(_ cluster: Ensemble) throws -> Double {
        let leader = try cluster.leader()
        let survivors = cluster.nodes.filter { $0.number != leader.number }
        let probe = WriteProbe(ports: survivors.map(\.redis))
        pause(.milliseconds(500))
        let begun = ContinuousClock.now
        guard probe.isAcknowledged(since: begun - .milliseconds(400)) else {
            _ = probe.stop()
            throw BenchError("nobody could write before the kill")
        }
        cluster.kill(leader)
        // Both write again, and go on long enough for a second interruption to show.
        while !probe.isAcknowledged(since: begun + .milliseconds(20)), ContinuousClock.now - begun < .seconds(30) {
            pause(.milliseconds(5))
        }
        pause(.seconds(1))
        let hasRecovered = probe.isAcknowledged(since: begun + .milliseconds(20))
        let gap = probe.longestGap(since: begun)
        _ = probe.stop()
        guard hasRecovered else { throw BenchError("no write within 30 s after the kill") }
        try cluster.restart(leader)
        _ = try cluster.leader()
        return gap / .milliseconds(1)
    }

    // MARK: Load

    private func holdSteady(_ cluster: Ensemble, _ time: TimeSpan) throws {
        let leader = try cluster.leader()
        let before = try term(leader)
        let plan = LoadPlan(
            address: LoopbackAddress(port: leader.redis),
            workload: Workload(
                .write, valueBytes: options.valueBytes, connections: connections, pipeline: pipeline),
            records: max(2, options.keys), warmup: .zero, time: .seconds(time.seconds),
            threads: LoadGenerator.usualThreads)
        var progress = Progress(total: max(1, Int(time.seconds / 5)))
        let tally = try LoadGenerator.run(plan) { start, end in
            var moment = start
            while moment < end {
                progress.step("full load, term \((try? term(leader)) ?? 0)")
                moment = min(end, moment + 5_000_000_000)
                sleep(until: moment)
            }
        }
        progress.end()
        let after = try term(leader)
        if tally.failureCount > 0 { print("failures: \(tally.failureText)") }
        let seconds = tally.perSecond.prefix(Int(time.seconds))
        print(
            "\(Int(time.seconds)) s of full load, \(connections) connections x pipeline \(pipeline): "
                + "\(thousands(tally.operations / max(1, Int(time.seconds)))) writes/s, slowest second "
                + "\(thousands(seconds.min() ?? 0)), p99 \(Table.decimals(tally.writes.milliseconds(at: 99), 1)) ms, longest "
                + "\(Table.decimals(tally.writes.milliseconds(at: 100), 1)) ms; elections: \(after - before)")
        if after != before || tally.failureCount > 0 { throw ExitCode(1) }
    }

    private func term(_ node: Ensemble.Node) throws -> UInt64 {
        guard let status = NodeStatus.of(node.redis) else {
            throw BenchError("node \(node.number) does not tell its term")
        }
        return status.term
    }
}

/// `90s`, `10m`, or a number of seconds.
struct TimeSpan: ExpressibleByArgument, Sendable {
    let seconds: Double

    init?(argument: String) {
        let unit = argument.last.flatMap { ["s": 1.0, "m": 60, "h": 3_600][$0] }
        guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number >= 1, number <= 86_400
        else { return nil }
        seconds = number * (unit ?? 1)
    }
}
