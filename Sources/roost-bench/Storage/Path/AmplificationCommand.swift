import ArgumentParser
import Foundation

struct AmplificationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "amplification", abstract: "Count what reaches the disk for each byte that users write.",
        discussion: """
            The same random overwrites, by raw RocksDB and by Roost's storage path, in this process, in turn; then both \
            flush, and wait until nothing is left to compact. Counted by the kernel: write_bytes of /proc/self/io, without \
            what was deleted before it was written.
            """)

    @OptionGroup var options: StorageOptions
    @Option(help: "Length of the values.") var valueBytes = 1024
    @Option(help: "Different keys.") var keys = 500_000
    @Option(help: "User bytes to write, in MiB.") var mebibytes = 2048
    @Option(help: "Commands in a synced write.") var batch = 64
    @Option(help: "Rounds of which the medians are taken.") var rounds = 1
    @Flag(help: "Print RocksDB's own account of Roost's part.") var report = false

    func validate() throws {
        guard (1...1 << 20).contains(valueBytes), (1...4096).contains(batch), keys > 0, mebibytes > 0, rounds > 0 else {
            throw ValidationError("--value-bytes: 1 to 1048576; --batch: 1 to 4096; the others: from 1")
        }
    }

    func run() throws {
        let pair = Material.keyBytes + valueBytes
        let writes = (mebibytes << 20) / pair / batch
        let userBytes = Double(writes * batch * pair)
        try options.measure(
            "bytes written: \(mebibytes) MiB of random overwrites of \(keys) keys with values of \(valueBytes) B, "
                + "batches of \(batch)"
        ) { workspace, _ in
            var (raw, roost): ([Double], [Double]) = ([], [])
            for round in 1...rounds {
                Progress.say("round \(round) of \(rounds): raw RocksDB")
                raw.append(
                    try workspace.withFolder("raw") { folder in
                        let before = try ProcessFigures.writtenBytes()
                        let store = try RawStore(in: folder)
                        var material = Material(keys: keys, valueBytes: valueBytes, seed: UInt64(round))
                        for _ in 0..<writes { try store.write(batch, &material) }
                        try store.settle()
                        try store.close()
                        return Double(try ProcessFigures.writtenBytes() - before) / userBytes
                    })
                Progress.say("round \(round) of \(rounds): Roost")
                roost.append(
                    try workspace.withFolder("roost") { folder in
                        let before = try ProcessFigures.writtenBytes()
                        let path = try StoragePath(in: folder)
                        var material = Material(keys: keys, valueBytes: valueBytes, seed: UInt64(round))
                        for _ in 0..<writes { try path.write(batch, &material) }
                        try path.settle()
                        if report { print(path.report) }
                        try path.close()
                        return Double(try ProcessFigures.writtenBytes() - before) / userBytes
                    })
            }
            let (rawFactor, roostFactor) = (median(raw) ?? 0, median(roost) ?? 0)
            Findings.report(
                "bytes on disk for a user byte",
                String(format: "raw %.2f, Roost %.2f, %.2f of raw", rawFactor, roostFactor, roostFactor / rawFactor),
                target: "at most 1.5 of raw")
            Findings.command(
                "amplification --value-bytes \(valueBytes) --keys \(keys) --mebibytes \(mebibytes) --batch \(batch) "
                    + "--rounds \(rounds)")
        }
    }
}
