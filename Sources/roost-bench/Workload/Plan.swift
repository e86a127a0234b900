/// How much is asked of each subject.
struct Plan: Codable {
    /// One line of redis-benchmark: `set` and `get`, each with so many requests.
    struct Line: Codable {
        var clients: Int
        var pipeline: Int
        var requests: Int
    }

    /// One run of db_bench.
    struct Fill: Codable {
        var threads: Int
        var writesPerThread: Int
    }

    var lines: [Line]
    var fills: [Fill]
    /// Seconds of one run of h2load.
    var secondsPerRun: Int
    /// No further round begins if it would probably end after this.
    var timeLimit: Duration
    /// One run of a tool; a server that is slower than this has failed.
    var runLimit: Duration

    static let valueBytes = 100
    static let keys = 100_000

    static let full = Plan(
        lines: [
            Line(clients: 1, pipeline: 1, requests: 20_000), Line(clients: 64, pipeline: 1, requests: 200_000),
            Line(clients: 256, pipeline: 1, requests: 300_000), Line(clients: 64, pipeline: 16, requests: 1_000_000),
        ],
        fills: [Fill(threads: 1, writesPerThread: 24_000), Fill(threads: 64, writesPerThread: 3_000)],
        secondsPerRun: 4, timeLimit: .seconds(3_600), runLimit: .seconds(180))

    static let quick = Plan(
        lines: [
            Line(clients: 1, pipeline: 1, requests: 3_000), Line(clients: 64, pipeline: 1, requests: 30_000),
            Line(clients: 256, pipeline: 1, requests: 30_000), Line(clients: 64, pipeline: 16, requests: 100_000),
        ],
        fills: [Fill(threads: 1, writesPerThread: 6_000), Fill(threads: 64, writesPerThread: 500)],
        secondsPerRun: 2, timeLimit: .seconds(160), runLimit: .seconds(30))
}
