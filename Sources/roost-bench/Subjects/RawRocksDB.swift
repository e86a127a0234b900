/// What the disk and RocksDB give without a server: the yardstick of the table.
struct RawRocksDB: Subject {
    let tool: String
    static let title = "raw RocksDB"
    var name: String { Self.title }

    func measure(_ plan: Plan, _ workspace: Workspace) -> [Sample] {
        plan.fills.map { fill in
            Sample.of(name, Workload(kind: .write, clients: fill.threads)) {
                try workspace.withFolder("rocksdb") { folder in try run(fill, plan, folder) }
            }
        }
    }

    private func run(_ fill: Plan.Fill, _ plan: Plan, _ folder: String) throws -> Measurement {
        let command = [
            tool, "--benchmarks=fillrandom", "--sync=1", "--key_size=16", "--value_size=\(Plan.valueBytes)",
            "--threads=\(fill.threads)", "--num=\(fill.writesPerThread)", "--db=\(folder)", "--compression_type=none",
            "--histogram=1",
        ]
        let text = try ChildProcess.output(of: command, folder: folder, within: plan.runLimit)
        // fillrandom : 127.3 micros/op 7853 ops/sec 3.056 seconds 24000 operations; 0.9 MB/s
        guard
            let rate = text.firstMatch(of: /fillrandom\s*:.*?\s([0-9]+) ops\/sec/).flatMap({ Double($0.1) }),
            let percentiles = text.firstMatch(of: /Percentiles: P50: ([0-9.]+) .*?P99: ([0-9.]+)\s/),
            let p50 = Double(percentiles.1), let p99 = Double(percentiles.2)
        else { throw BenchError("db_bench printed no figures: \(text.suffix(300))") }
        return Measurement(
            perSecond: rate, p50Milliseconds: p50 / 1_000, p99Milliseconds: p99 / 1_000, command: command)
    }
}
