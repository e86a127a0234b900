/// The workloads of a comparison, in the order of the table.
struct Plan {
    var workloads: [Workload]
    var effort: Effort
    var rounds: Int
    /// Those that are measured unless others are asked for.
    var subjects: [SubjectKind] = SubjectKind.allCases
    /// No further round begins if it would probably end after this.
    var timeLimit: Duration

    /// Under an hour with every subject.
    static let full = Plan(
        workloads: writes + reads + pipelined + mixed + large + offered,
        effort: Effort(), rounds: 3, timeLimit: .seconds(3_300))

    /// About three minutes.
    static let quick = Plan(
        workloads: [
            Workload(.write, connections: 1), Workload(.write, connections: 64), Workload(.write, connections: 256),
            Workload(.read, connections: 1), Workload(.read, connections: 64),
            Workload(.write, connections: 64, pipeline: 16), Workload(.read, connections: 64, pipeline: 16),
        ], effort: Effort(records: 50_000, warmup: 0.2, seconds: 1), rounds: 3,
        subjects: [.rocksdb, .rocksdbBatch64, .storageBatch64, .roost1, .roost3, .redis, .etcd1, .etcd3],
        timeLimit: .seconds(240))

    private static let writes = [1, 8, 64, 256, 1_000].map { Workload(.write, connections: $0) }
    private static let reads = [1, 8, 64, 256, 1_000].map { Workload(.read, connections: $0) }
    private static let pipelined = [Traffic.write, .read].map { Workload($0, connections: 64, pipeline: 16) }
    private static let mixed =
        [Traffic.mixed50, .mixed95, .ycsbA, .ycsbB, .ycsbC, .ycsbD, .ycsbF].map { Workload($0, connections: 64) }
        + [Workload(.write, connections: 64, keys: .zipf)]
    private static let large = [1_024, 16_384].flatMap { bytes in
        [Traffic.write, .read].map { Workload($0, valueBytes: bytes, connections: 64) }
    }
    /// What every subject can take, so that latencies under one load stand side by side.
    private static let offered = [
        Workload(.write, connections: 64, rate: 5_000), Workload(.mixed95, connections: 64, rate: 20_000),
    ]
}
