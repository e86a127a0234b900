import ArgumentParser
import Foundation

struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Measure how a snapshot is made, sent and installed.",
        discussion: """
            One node holds the keys, and one client writes to it without a pause, one write at a time. A second node joins \
            with an empty folder, and is sent a snapshot over loopback. The times are those of the nodes' own logs: from \
            the join until the snapshot is sent it is made, from then on it is sent, checked and installed.
            """)

    @OptionGroup var options: StorageOptions
    @Option(help: "Keys that the node holds.") var keys = 1_000_000
    @Option(help: "Length of their values.") var valueBytes = 100
    @Option(help: "Rounds of which the medians are taken.") var rounds = 3

    func validate() throws {
        guard (1...100_000_000).contains(keys), (1...1 << 20).contains(valueBytes), rounds > 0 else {
            throw ValidationError("--keys: 1 to 100000000; --value-bytes: 1 to 1048576; --rounds: from 1")
        }
    }

    private struct Round {
        var bytes = 0.0
        /// Milliseconds.
        var pause = 0.0
        var laterPause = 0.0
        var usualPause = 0.0
        var making = 0.0
        var sending = 0.0
        var installing = 0.0
        /// MB a second, from the first byte sent until it is installed.
        var rate: Double { bytes / 1_000 / (sending + installing) }
    }

    func run() throws {
        try options.measure("snapshot: \(keys) keys with values of \(valueBytes) B, \(rounds) rounds") {
            workspace, roostd in
            let found = try (1...rounds).map { number in
                Progress.say("round \(number) of \(rounds)")
                return try workspace.withFolder("snapshot") { try measure(roostd, $0) }
            }
            func middle(_ value: (Round) -> Double) -> Double { median(found.map(value)) ?? 0 }
            Findings.report(
                "write pause while it is made",
                String(
                    format:
                        "median %.1f ms, longest %.1f; in two seconds without a snapshot %.1f, while it is sent and "
                        + "installed on the same disk and processors %.1f (medians)",
                    middle(\.pause), found.map(\.pause).max() ?? 0, middle(\.usualPause), middle(\.laterPause)),
                target: "at most 60 ms")
            Findings.report(
                "sent and installed",
                String(
                    format:
                        "median %.0f MB/s, lowest %.0f; %.0f MB: made in %.0f ms, sent and checked in %.0f, installed in %.0f",
                    middle(\.rate), found.map(\.rate).min() ?? 0, middle(\.bytes) / 1e6, middle(\.making),
                    middle(\.sending), middle(\.installing)),
                target: "at least 100 MB/s")
            Findings.command("snapshot --keys \(keys) --value-bytes \(valueBytes) --rounds \(rounds)")
        }
    }

    private func measure(_ roostd: String, _ folder: String) throws -> Round {
        let (first, second) = ("\(folder)/1", "\(folder)/2")
        for path in [first, second] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        let node = try LoneNode(roostd, in: first, arguments: options.arguments)
        defer { node.stop() }
        try ClientLoad(port: node.redis, .init(keys: keys, valueBytes: valueBytes, isFill: true)).wait()
        // Its compactions are not what is measured.
        pause(.seconds(3))
        let probe = WriteProbe(ports: [node.redis])
        pause(.seconds(1))
        let before = ContinuousClock.now
        pause(.seconds(2))
        let usual = probe.longestGap(since: before)
        let begun = ContinuousClock.now
        let newcomer = try LoneNode(
            roostd, in: second, identity: ["--join", "127.0.0.1:\(node.peer)"], arguments: options.arguments,
            waits: false)
        defer { newcomer.stop() }
        while !(try NodeLog(node.log).says("sending a snapshot")) {
            if newcomer.process.hasEnded { throw BenchError("the newcomer ended: \(newcomer.process.lastLogLine)") }
            pause(.milliseconds(5))
        }
        let whileMade = probe.longestGap(since: begun)
        let sent = ContinuousClock.now
        try newcomer.waitUntilServing()
        let whileSent = probe.longestGap(since: sent)
        for problem in Set(probe.stop()).sorted() { throw BenchError("a write was answered \(problem)") }

        let (sender, receiver) = (try NodeLog(node.log), try NodeLog(newcomer.log))
        let asked = try sender.time(of: "too far behind for the log")
        let sending = try sender.time(of: "sending a snapshot")
        let installing = try receiver.time(of: "installing a snapshot")
        let installed = try receiver.time(of: "snapshot installed")
        return Round(
            bytes: try sender.number("bytes", of: "sending a snapshot"), pause: whileMade / .milliseconds(1),
            laterPause: whileSent / .milliseconds(1), usualPause: usual / .milliseconds(1), making: sending - asked,
            sending: installing - sending,
            installing: installed - installing)
    }
}

/// The log of a node, for its times.
private struct NodeLog {
    private let lines: [Substring]

    init(_ path: String) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw BenchError("no \(path)") }
        lines = text.split(separator: "\n")
    }

    func says(_ event: String) -> Bool { lines.contains { $0.contains(event) } }

    /// Milliseconds since midnight of the first such line: `2026-11-21T01:28:03.123Z …`.
    func time(of event: String) throws -> Double {
        let match = try line(event).firstMatch(of: /T(\d\d):(\d\d):(\d\d)\.(\d\d\d)Z/)
        guard let match, let hours = Double(match.1), let minutes = Double(match.2), let seconds = Double(match.3),
            let milliseconds = Double(match.4)
        else { throw BenchError("a line of the log without a time: \(event)") }
        return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds
    }

    func number(_ field: String, of event: String) throws -> Double {
        let prefix = "\(field)="
        guard let word = try line(event).split(separator: " ").first(where: { $0.hasPrefix(prefix) }),
            let number = Double(word.dropFirst(prefix.count))
        else { throw BenchError("a line of the log without \(field): \(event)") }
        return number
    }

    private func line(_ event: String) throws -> Substring {
        guard let line = lines.first(where: { $0.contains(event) }) else {
            throw BenchError("the log does not say '\(event)': did it come by the log? Take more --keys")
        }
        return line
    }
}
