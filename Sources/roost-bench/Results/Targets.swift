/// What Roost is meant to reach beside others on a machine of two cores that servers and load share: 100-byte values,
/// durable, ratios within one run.
enum Targets {
    struct Outcome: Encodable, Sendable {
        let name: String
        /// The figure over what it is compared with, or the figure itself where `unit` says so.
        let value: Double
        let target: Double
        let unit: String
        var isMet: Bool { isLowerBetter ? value <= target : value >= target }
        let isLowerBetter: Bool

        private enum CodingKeys: String, CodingKey { case name, value, target, unit, isMet, isLowerBetter }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(value, forKey: .value)
            try container.encode(target, forKey: .target)
            try container.encode(unit, forKey: .unit)
            try container.encode(isMet, forKey: .isMet)
            try container.encode(isLowerBetter, forKey: .isLowerBetter)
        }

        /// How far beyond the target, or short of it, in parts of the target.
        var difference: String {
            let percent = Int((abs(value / target - 1) * 100).rounded())
            return "\(isMet ? "met" : "missed"), \(percent) % \(value < target ? "below" : "above")"
        }
    }

    private static let one = Workload(.write, connections: 1)
    private static let many = Workload(.write, connections: 64)
    private static let more = Workload(.write, connections: 256)
    private static let piped = Workload(.write, connections: 64, pipeline: 16)
    private static let reads = Workload(.read, connections: 64)
    private static let pipedReads = Workload(.read, connections: 64, pipeline: 16)

    /// Those that the run has figures for.
    static func check(_ report: Report) -> [Outcome] {
        [
            ratio(report, "1 node SET, 64 connections, to raw RocksDB with 64 threads", .roost1, many, .rocksdb, 1.5),
            ratio(report, "1 node SET, 64 connections, to Redis", .roost1, many, .redis, 0.9),
            ratio(report, "1 node SET, 1 connection, to Redis", .roost1, one, .redis, 1),
            ratio(report, "1 node SET, 1 connection, to raw RocksDB with 1 thread", .roost1, one, .rocksdb, 0.85),
            ratio(
                report, "1 node SET, 64 x pipeline 16, to raw RocksDB in batches of 64", .roost1, piped,
                .rocksdbBatch64, 1.2),
            ratio(report, "1 node SET, 64 x pipeline 16, to Redis", .roost1, piped, .redis, 0.5),
            ratio(report, "3 nodes SET, 64 connections, to etcd with 3 nodes", .roost3, many, .etcd3, 3),
            ratio(report, "3 nodes SET, 256 connections, to etcd with 3 nodes", .roost3, more, .etcd3, 3),
            cost(report, "3 nodes SET, 64 connections: processor time per write", .roost3, many, 27),
            median(report, "3 nodes SET, 1 connection: p50 to etcd's", .roost3, one, .etcd3, 0.5),
            ratio(report, "3 nodes linearizable GET, 64 connections, to etcd with 3 nodes", .roost3, reads, .etcd3, 4),
            ratio(report, "3 nodes linearizable GET, 64 connections, to Redis", .roost3, reads, .redis, 0.8),
            rate(report, "1 node SET, 64 x pipeline 16", .roost1, piped, 100_000),
            rate(report, "1 node GET, 64 x pipeline 16", .roost1, pipedReads, 300_000),
        ].compactMap(\.self)
    }

    private static func ratio(
        _ report: Report, _ name: String, _ subject: SubjectKind, _ workload: Workload, _ other: SubjectKind,
        _ target: Double
    ) -> Outcome? {
        guard let value = report.figure(subject, workload)?.ratio(to: report.figure(other, workload)) else {
            return nil
        }
        return Outcome(name: name, value: value, target: target, unit: "x", isLowerBetter: false)
    }

    private static func median(
        _ report: Report, _ name: String, _ subject: SubjectKind, _ workload: Workload, _ other: SubjectKind,
        _ target: Double
    ) -> Outcome? {
        guard let figure = report.figure(subject, workload), let other = report.figure(other, workload),
            other.latency.p50 > 0
        else { return nil }
        return Outcome(
            name: name, value: figure.latency.p50 / other.latency.p50, target: target, unit: "x", isLowerBetter: true)
    }

    private static func cost(
        _ report: Report, _ name: String, _ subject: SubjectKind, _ workload: Workload, _ target: Double
    ) -> Outcome? {
        guard let value = report.figure(subject, workload)?.cost.processorMicrosecondsPerOperation else { return nil }
        return Outcome(name: name, value: value, target: target, unit: "us", isLowerBetter: true)
    }

    private static func rate(
        _ report: Report, _ name: String, _ subject: SubjectKind, _ workload: Workload, _ target: Double
    ) -> Outcome? {
        guard let value = report.figure(subject, workload)?.perSecond else { return nil }
        return Outcome(name: name, value: value, target: target, unit: "/s", isLowerBetter: false)
    }
}
