import ArgumentParser
import Foundation
import RESP

struct DayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "day", abstract: "Overwrite the same keys as often as in a day, and watch the disk.",
        discussion: """
            4,320,000 writes are a day of fifty a second. They come as fast as the node takes them, so here bytes decide \
            when the log is cut. Then, on small limits, the other two reasons alone: a number of entries, and time.
            """)

    @OptionGroup var options: StorageOptions
    @Option(help: "Overwrites.") var writes = 4_320_000
    @Option(help: "Keys that are overwritten.") var keys = 20_000
    @Option(help: "Length of the values.") var valueBytes = 1024

    func validate() throws {
        guard writes > 0, (1...100_000_000).contains(keys), (1...1 << 20).contains(valueBytes) else {
            throw ValidationError("--writes: from 1; --keys: 1 to 100000000; --value-bytes: 1 to 1048576")
        }
    }

    func run() throws {
        try options.measure("day: \(writes) overwrites of \(keys) keys with values of \(valueBytes) B, one node") {
            workspace, roostd in
            try workspace.withFolder("bytes") { try byBytes(roostd, $0) }
            try workspace.withFolder("count") {
                try byOne(
                    "count", ["--max-unflushed-entries", "200", "--truncation-slack-entries", "200"], roostd, $0)
            }
            try workspace.withFolder("time") {
                try byOne("time", ["--max-unflushed-age", "2s", "--truncation-slack-entries", "0"], roostd, $0)
            }
            Findings.command("day --writes \(writes) --keys \(keys) --value-bytes \(valueBytes)")
        }
    }

    private func byBytes(_ roostd: String, _ folder: String) throws {
        let node = try LoneNode(roostd, in: folder, arguments: options.arguments)
        defer { node.stop() }
        let begun = ContinuousClock.now
        let load = ClientLoad(port: node.redis, .init(keys: keys, valueBytes: valueBytes, writes: writes))
        /// Most disk in use by the database in each quarter of the writes. The reserve beside it has a fixed size.
        var most = [0, 0, 0, 0]
        var announced = 0
        while load.acknowledged + load.refused < writes {
            if node.process.hasEnded { throw BenchError("the node ended: \(node.process.lastLogLine)") }
            if let failure = load.failure { throw failure }
            let quarter = min(4 * load.acknowledged / writes, 3)
            most[quarter] = max(most[quarter], ProcessFigures.diskBytes(below: "\(node.data)/db"))
            if 10 * load.acknowledged / writes > announced {
                announced = 10 * load.acknowledged / writes
                Progress.say("\(announced * 10) % of the day, \(most[quarter] >> 20) MiB at most in this quarter")
            }
            pause(.milliseconds(100))
        }
        try load.wait()
        let time = (ContinuousClock.now - begun) / .seconds(1)
        let live = keys * (valueBytes + Material.keyBytes)
        Findings.report(
            "disk in use by the database at most, by quarter of the day",
            most.map { "\($0 >> 20)" }.joined(separator: ", ")
                + " MiB, for \(live >> 20) MiB of live data and \((writes * (valueBytes + Material.keyBytes)) >> 20) MiB "
                + String(format: "written in %.0f s", time),
            target: "no growth from the second quarter on")
        guard load.refused == 0 else { throw BenchError("\(load.refused) writes were refused") }
        // Files come and go: a tenth more is no growth.
        guard most[3] <= most[1...2].max()! * 11 / 10 else { throw BenchError("the disk in use grows") }
    }

    /// Only one of the reasons is ever met: 16 MiB in small pieces are far below what the bytes ask for.
    private func byOne(_ reason: String, _ arguments: [String], _ roostd: String, _ folder: String) throws {
        let node = try LoneNode(roostd, in: folder, arguments: arguments)
        defer { node.stop() }
        let load = ClientLoad(
            port: node.redis, .init(keys: keys, valueBytes: 1024, clients: 4, pipeline: 1, writes: 4_000))
        try load.wait()
        let begun = ContinuousClock.now
        while true {
            let status = try LogStatus.of(node.redis)
            if status.first > 1 {
                Findings.report(
                    "by \(reason) alone",
                    "entries up to \(status.first - 1) of \(status.last) cut "
                        + String(format: "%.1f s after the last write", (ContinuousClock.now - begun) / .seconds(1)))
                return
            }
            if ContinuousClock.now - begun > .seconds(20) { throw BenchError("the log is not cut by \(reason)") }
            pause(.milliseconds(50))
        }
    }
}

/// `ROOST.STATUS`, as far as it tells of the log.
private struct LogStatus: Decodable {
    var first: UInt64
    var last: UInt64

    static func of(_ port: UInt16) throws -> LogStatus {
        guard let text = try CommandConnection(port: port)("ROOST.STATUS").text else {
            throw BenchError("ROOST.STATUS has no answer")
        }
        return try JSONDecoder().decode(LogStatus.self, from: Data(text.utf8))
    }
}
