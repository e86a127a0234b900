import ArgumentParser
import Foundation

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Measure a restart after kill -9 under full load, and memory before it.",
        discussion: """
            One node holds the keys. Clients overwrite them as fast as they can; then the node is killed in the middle of \
            it and started again: the time goes from the start of the process until a linearizable read is answered. The \
            first load lasts as --seconds says, each further one a quarter of that.
            """)

    @OptionGroup var options: StorageOptions
    @Option(help: "Keys that the node holds, one or several.") var keys = [1_000_000, 5_000_000]
    @Option(help: "Length of the values.") var valueBytes = 100
    @Option(help: "Seconds of sustained load before the first kill.") var seconds = 60
    @Option(help: "Kills.") var rounds = 5

    func validate() throws {
        guard keys.allSatisfy((1...100_000_000).contains), (1...1 << 20).contains(valueBytes), seconds > 0, rounds > 0
        else { throw ValidationError("--keys: 1 to 100000000; --value-bytes: 1 to 1048576; the others: from 1") }
    }

    func run() throws {
        try options.measure("restart: values of \(valueBytes) B, one node, 8 clients with pipelines of 64") {
            workspace, roostd in
            for count in keys {
                try workspace.withFolder("restart") { try measure(count, roostd, $0) }
            }
        }
    }

    private func measure(_ count: Int, _ roostd: String, _ folder: String) throws {
        let node = try LoneNode(roostd, in: folder, arguments: options.arguments)
        defer { node.stop() }
        Progress.say("\(count) keys: filling")
        try ClientLoad(port: node.redis, .init(keys: count, valueBytes: valueBytes, isFill: true)).wait()
        var (times, memory): ([Duration], [Int]) = ([], [])
        var (rate, written) = (0.0, 0.0)
        for round in 1...rounds {
            let length = round == 1 ? seconds : max(seconds / 4, 1)
            Progress.say("\(count) keys: load of \(length) s, then kill \(round) of \(rounds)")
            let diskBytes = try ProcessFigures.writtenBytes(of: node.process.pid)
            let load = ClientLoad(port: node.redis, .init(keys: count, valueBytes: valueBytes))
            pause(.seconds(length))
            if round == 1 {
                rate = Double(load.acknowledged) / Double(length)
                written =
                    Double(try ProcessFigures.writtenBytes(of: node.process.pid) - diskBytes)
                    / Double(load.acknowledged * (Material.keyBytes + valueBytes))
            }
            memory.append(try ProcessFigures.residentBytes(of: node.process.pid))
            node.kill()
            load.stop()
            guard load.refused == 0 else { throw BenchError("\(load.refused) writes were refused") }
            times.append(try node.restart())
        }
        let milliseconds = times.map { $0 / .milliseconds(1) }
        Findings.report(
            "\(count) keys, serving after kill -9",
            String(
                format:
                    "median %.0f ms, shortest %.0f, longest %.0f, of \(rounds); after the first load of \(seconds) s %.0f",
                median(milliseconds) ?? 0, milliseconds.min() ?? 0, milliseconds.max() ?? 0, milliseconds[0]),
            target: "at most 1000 ms")
        Findings.report(
            "\(count) keys, memory under load",
            "after \(seconds) s \(memory[0] / 1_000_000) MB, most \((memory.max() ?? 0) / 1_000_000) MB",
            target: count <= 1_000_000 ? "at most 400 MB" : nil)
        Findings.report(
            "\(count) keys, load", String(format: "%.0f writes/s, %.2f bytes on disk for a user byte", rate, written))
        Findings.command(
            "restart --keys \(count) --value-bytes \(valueBytes) --seconds \(seconds) --rounds \(rounds)")
    }
}
