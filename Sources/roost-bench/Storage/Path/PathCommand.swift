import ArgumentParser
import Foundation

struct PathCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path", abstract: "Compare the storage path alone with batched sync writes of raw RocksDB.",
        discussion: """
            One thread writes batches of random keys, each batch one synced write: raw RocksDB's WriteBatch, and Roost's \
            log with its applier and its flushes beside it. Both in this process, in turn, each round on an empty folder; \
            what is printed are medians.
            """)

    /// A row of the table, with what its ratio should be.
    private struct Row {
        var valueBytes: Int
        var batch: Int
        var target: Double?
    }

    @OptionGroup var options: StorageOptions
    @Option(help: "Length of the values, one or several.") var valueBytes = [100, 1024]
    @Option(help: "Commands in a synced write, one or several.") var batch = [1, 8, 64, 512]
    @Option(help: "Seconds of each run.") var seconds = 3
    @Option(help: "Rounds of which the medians are taken.") var rounds = 5
    @Option(help: "Different keys.") var keys = 1_000_000

    func validate() throws {
        guard valueBytes.allSatisfy((1...1 << 20).contains), batch.allSatisfy((1...4096).contains) else {
            throw ValidationError("--value-bytes: expected 1 to 1048576; --batch: expected 1 to 4096")
        }
        guard (1...600).contains(seconds), (1...1_000).contains(rounds), keys > 0 else {
            throw ValidationError("--seconds: expected 1 to 600; --rounds: expected 1 to 1000; --keys: from 1")
        }
    }

    func run() throws {
        try options.measure("storage path: \(rounds) rounds of \(seconds) s each, \(keys) keys") { workspace, _ in
            for bytes in valueBytes {
                for size in batch {
                    try measure(Row(valueBytes: bytes, batch: size, target: Self.target(size)), workspace)
                }
            }
        }
    }

    private static func target(_ batch: Int) -> Double? {
        switch batch {
        case 64: 1.5
        case 512: 1.0
        default: nil
        }
    }

    private func measure(_ row: Row, _ workspace: Workspace) throws {
        var (raw, roost): ([Double], [Double]) = ([], [])
        for round in 1...rounds {
            Progress.say("\(row.valueBytes) B, batches of \(row.batch): round \(round) of \(rounds)")
            var material = Material(keys: keys, valueBytes: row.valueBytes, seed: UInt64(round))
            raw.append(
                try workspace.withFolder("raw") { folder in
                    let store = try RawStore(in: folder)
                    let rate = try rate(row) { try store.write(row.batch, &material) }
                    try store.close()
                    return rate
                })
            material = Material(keys: keys, valueBytes: row.valueBytes, seed: UInt64(round))
            roost.append(
                try workspace.withFolder("roost") { folder in
                    let path = try StoragePath(in: folder)
                    let rate = try rate(row, { try path.write(row.batch, &material) }, atEnd: path.drain)
                    try path.close()
                    return rate
                })
        }
        let (rawRate, roostRate) = (median(raw) ?? 0, median(roost) ?? 0)
        Findings.report(
            "\(row.valueBytes) B, batches of \(row.batch)",
            "raw \(Self.text(rawRate))/s, Roost \(Self.text(roostRate))/s, "
                + String(format: "%.2f", roostRate / rawRate)
                + " of raw; lowest and highest raw \(Self.text(raw.min() ?? 0)) \(Self.text(raw.max() ?? 0)), "
                + "Roost \(Self.text(roost.min() ?? 0)) \(Self.text(roost.max() ?? 0))",
            target: row.target.map { "\($0)" })
        Findings.command(
            "path --value-bytes \(row.valueBytes) --batch \(row.batch) --seconds \(seconds) --rounds \(rounds) --keys \(keys)"
        )
    }

    private func rate(
        _ row: Row, _ write: () throws -> Void, atEnd finish: () throws -> Void = {}
    ) throws -> Double {
        Interruption.checkpoint()
        let begun = ContinuousClock.now
        let end = begun + .seconds(seconds)
        var commands = 0
        while ContinuousClock.now < end {
            try write()
            commands += row.batch
        }
        try finish()
        return Double(commands) / ((ContinuousClock.now - begun) / .seconds(1))
    }

    private static func text(_ rate: Double) -> String { "\(Int(rate))" }
}
