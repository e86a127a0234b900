import ArgumentParser
import Foundation
import RESP

struct TransferCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer", abstract: "Measure how long writers wait when leadership is handed over.",
        discussion: """
            Three nodes; one client at each writes one key after the other. Leadership goes round; the gap of a transfer \
            is the longest time between two acknowledgements that any of the clients saw.
            """)

    @OptionGroup var options: MemberOptions
    @Option(help: "Transfers of which the median is taken.") var transfers = 20

    func validate() throws {
        guard (1...10_000).contains(transfers) else { throw ValidationError("--transfers: expected 1 to 10000") }
    }

    func run() throws {
        try options.measure { roostd, folder in
            let cluster = try Ensemble(roostd: roostd, folder: folder)
            defer { cluster.stop() }
            Progress.say("writing the keys")
            try cluster.load(keys: options.keys, valueBytes: options.valueBytes)
            let probe = WriteProbe(ports: cluster.ports)
            pause(.seconds(1))
            let begun = ContinuousClock.now
            pause(.seconds(2))
            let usual = probe.longestGap(since: begun)
            let gaps = try (1...transfers).map { round in try gap(cluster, probe, round) }.sorted()
            for problem in Set(probe.stop()).sorted() { print("not acknowledged: \(problem)") }
            let middle = median(gaps.map { $0 / .milliseconds(1) }) ?? 0
            print(
                "write gap of \(transfers) transfers: median \(Self.text(middle)) ms, "
                    + "shortest \(Self.text(gaps[0] / .milliseconds(1))) ms, "
                    + "longest \(Self.text(gaps[gaps.count - 1] / .milliseconds(1))) ms "
                    + "(longest in two seconds without a transfer: \(Self.text(usual / .milliseconds(1))) ms)")
        }
    }

    private func gap(_ cluster: Ensemble, _ probe: WriteProbe, _ round: Int) throws -> Duration {
        let leader = try cluster.leader()
        let others = cluster.nodes.filter { $0.number != leader.number }
        let begun = ContinuousClock.now
        let target = others[round % others.count]
        let reply = try CommandConnection(port: leader.redis)("ROOST.MEMBER", "TRANSFER", "\(target.number)")
        guard reply == .simple("OK") else { throw BenchError("transfer \(round): \(reply)") }
        _ = try cluster.leader()
        pause(.milliseconds(300))
        return probe.longestGap(since: begun)
    }

    private static func text(_ milliseconds: Double) -> String { String(format: "%.1f", milliseconds) }
}
