import Foundation

/// A server, or a cluster of them, that speaks the Redis protocol and is under way.
final class RespServer: RunningSubject {
    /// Records after which the servers are given time to settle, at most so long.
    private static let longFill = 500_000
    private static let settlingLimit = Duration.seconds(120)
    /// Of a second's processor time, for all servers together.
    private static let quietShare = 0.1

    private let kind: SubjectKind
    private let address: LoopbackAddress
    private let processes: [ChildProcess]
    private let syncs: () -> Int?
    /// The records that stand in the store, by the length of their values; the last ones written.
    private var filled: Int?

    /// - Parameter syncs: synced writes of the logs so far, nil if the servers don't tell.
    init(_ kind: SubjectKind, port: UInt16, processes: [ChildProcess], syncs: @escaping () -> Int? = { nil }) {
        (self.kind, self.processes, self.syncs) = (kind, processes, syncs)
        address = LoopbackAddress(port: port)
    }

    func stop() { for process in processes { process.stop() } }

    func measure(_ workload: Workload, _ effort: Effort) throws -> Measurement {
        let records = effort.records(of: workload.valueBytes)
        if workload.traffic.needsRecords, filled != workload.valueBytes {
            try LoadGenerator.fill(address, records: records, valueBytes: workload.valueBytes)
            filled = workload.valueBytes
            if records >= Self.longFill { waitUntilQuiet() }
        } else if workload.valueBytes != filled {
            // Some keys now have values of another length.
            filled = nil
        }
        let plan = LoadPlan(
            address: address, workload: workload, records: records, warmup: .seconds(effort.warmup),
            time: .seconds(effort.seconds), threads: LoadGenerator.usualThreads)
        var usage = (before: ProcessUsage(), after: ProcessUsage())
        let tally = try LoadGenerator.run(plan) { start, end in
            sleep(until: start)
            usage.before = take()
            sleep(until: end)
            usage.after = take()
        }
        if let dead = processes.first(where: { $0.hasEnded }) {
            throw BenchError("a server ended: \(dead.lastLogLine)")
        }
        return try Measurement(
            tally, seconds: effort.seconds,
            cost: Cost(from: usage.before, to: usage.after, operations: tally.operations),
            command: BenchCommand.compare(kind, workload, effort))
    }

    /// After a long fill servers go on for a while with what they were given, by compacting it, say: no part of what is
    /// measured next.
    private func waitUntilQuiet() {
        Progress.say("waiting until \(kind.title) has settled")
        let deadline = ContinuousClock.now + Self.settlingLimit
        var before = take().processorSeconds
        var quietSeconds = 0
        while ContinuousClock.now < deadline {
            pause(.seconds(1))
            let now = take().processorSeconds
            // One may be a pause between two compactions.
            quietSeconds = now - before < Self.quietShare ? quietSeconds + 1 : 0
            if quietSeconds == 2 { return }
            before = now
        }
        Progress.say("\(kind.title) is still busy after \(Self.settlingLimit), and measured all the same")
    }

    private func take() -> ProcessUsage {
        var usage = ProcessUsage.of(processes.map(\.pid))
        usage.syncs = syncs()
        return usage
    }
}

/// The command that repeats one figure.
enum BenchCommand {
    static func compare(_ kind: SubjectKind, _ workload: Workload, _ effort: Effort) -> [String] {
        ["roost-bench", "compare", "--rounds", "1", "--only", kind.rawValue] + workload.arguments + [
            "--records", "\(effort.records)", "--warmup", "\(effort.warmup)", "--seconds", "\(effort.seconds)",
        ]
    }
}
