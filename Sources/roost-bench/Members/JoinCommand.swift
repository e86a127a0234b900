import ArgumentParser
import Foundation

struct JoinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Measure how long a new node takes to become a voter while the others serve.",
        discussion: """
            Three nodes hold the keys, one client at each writes without a pause, and a fourth node starts with an empty \
            folder and --join. The time goes from the start of its process until it is a voter by its own word. By log: \
            all entries are kept, and sent; by snapshot: the log is cut.
            """)

    enum Way: String, CaseIterable, ExpressibleByArgument {
        case log
        case snapshot

        /// What makes the cluster keep its log, or cut it.
        var settings: [String] {
            switch self {
            case .log: ["--truncation-slack-entries", "1000000000", "--truncation-slack-bytes", "8GiB"]
            case .snapshot:
                [
                    "--max-retained-entries", "200", "--truncation-slack-entries", "100",
                    "--max-unflushed-log-bytes", "16MiB",
                ]
            }
        }
    }

    private static let limit = Duration.seconds(600)

    @OptionGroup var options: MemberOptions
    @Option(help: "log or snapshot; default: both, in turn.") var by: [Way] = Way.allCases

    func run() throws {
        try options.measure { roostd, folder in
            for way in by {
                let own = "\(folder)/\(way.rawValue)"
                try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: false)
                try measure(way, roostd, own)
                try FileManager.default.removeItem(atPath: own)
            }
        }
    }

    private func measure(_ way: Way, _ roostd: String, _ folder: String) throws {
        let cluster = try Ensemble(roostd: roostd, folder: folder, arguments: way.settings)
        defer { cluster.stop() }
        Progress.say("by \(way.rawValue): writing the keys")
        try cluster.load(keys: options.keys, valueBytes: options.valueBytes)
        let probe = WriteProbe(ports: cluster.ports)
        pause(.seconds(1))
        let before = ContinuousClock.now
        pause(.seconds(3))
        Progress.say("by \(way.rawValue): a node joins")
        let begun = ContinuousClock.now
        let (node, time) = try cluster.join(within: Self.limit)
        let joined = begun + time
        let (usual, during) = (probe.rate(from: before, to: begun), probe.rate(from: begun, to: joined))
        let gap = probe.longestGap(since: begun)
        for problem in Set(probe.stop()).sorted() { print("not acknowledged: \(problem)") }
        try check(node, cameBy: way)
        print(
            "by \(way.rawValue): a voter after \(String(format: "%.2f", time / .seconds(1))) s; writes before "
                + "\(Int(usual))/s, meanwhile \(Int(during))/s, longest gap "
                + "\(String(format: "%.0f", gap / .milliseconds(1))) ms")
    }

    /// The figure must be what it is called.
    private func check(_ node: Ensemble.Node, cameBy way: Way) throws {
        let log = (try? String(contentsOfFile: node.log, encoding: .utf8)) ?? ""
        guard log.contains("snapshot installed") == (way == .snapshot) else {
            throw BenchError("the node did not come by \(way.rawValue), see \(node.log)")
        }
    }
}
