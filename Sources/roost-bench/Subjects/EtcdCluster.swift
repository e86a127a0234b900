import Foundation

/// etcd with its defaults, under gRPC requests made by h2load, each connection with one request under way; load goes to
/// the leader.
struct EtcdCluster: Subject {
    let kind: SubjectKind
    let etcd: String
    let load: String

    private var nodes: Int { kind == .etcd1 ? 1 : 3 }

    /// h2load repeats one request, so there are no mixtures, and its latencies begin when it sends, so there is no open
    /// loop.
    func carries(_ workload: Workload) -> Bool {
        (workload.traffic == .write || workload.traffic == .read) && workload.rate == nil && workload.pipeline == 1
            && workload.keys == .uniform
    }

    func start(in folder: String) throws -> any RunningSubject {
        let ports = try (0..<nodes).map { _ in (client: try Port.free(), peer: try Port.free()) }
        var processes: [ChildProcess] = []
        do {
            for index in ports.indices { processes.append(try start(index, ports, folder)) }
            let leader = try waitForLeader(ports.map(\.client), processes)
            return EtcdServers(
                kind: kind, load: load, port: leader, clientPorts: ports.map(\.client), processes: processes,
                folder: folder)
        } catch {
            for process in processes { process.stop() }
            throw error
        }
    }

    private func start(_ index: Int, _ ports: [(client: UInt16, peer: UInt16)], _ folder: String) throws -> ChildProcess
    {
        let (client, peer) = ("http://127.0.0.1:\(ports[index].client)", "http://127.0.0.1:\(ports[index].peer)")
        let cluster = ports.enumerated().map { "n\($0.offset + 1)=http://127.0.0.1:\($0.element.peer)" }
        return try ChildProcess(
            [
                etcd, "--name", "n\(index + 1)", "--data-dir", "\(folder)/n\(index + 1)",
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", cluster.joined(separator: ","), "--quota-backend-bytes", "8589934592",
            ], log: "\(folder)/n\(index + 1).log")
    }

    /// The client port of the node whose status names itself as leader.
    private func waitForLeader(_ ports: [UInt16], _ processes: [ChildProcess]) throws -> UInt16 {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let dead = processes.first(where: { $0.hasEnded }) {
                throw BenchError("etcd ended: \(dead.lastLogLine)")
            }
            for port in ports {
                guard let status = JSONGateway.post("/v3/maintenance/status", "{}", port: port) else { continue }
                let member = (status["header"] as? [String: Any])?["member_id"] as? String
                if let leader = status["leader"] as? String, leader == member { return port }
            }
            pause(.milliseconds(50))
        }
        throw BenchError("etcd has no leader within 20 s")
    }
}

/// etcd under way.
final class EtcdServers: RunningSubject {
    private let kind: SubjectKind
    private let load: String
    private let port: UInt16
    private let clientPorts: [UInt16]
    private let processes: [ChildProcess]
    private let folder: String

    init(
        kind: SubjectKind, load: String, port: UInt16, clientPorts: [UInt16], processes: [ChildProcess], folder: String
    ) {
        (self.kind, self.load, self.port, self.clientPorts) = (kind, load, port, clientPorts)
        (self.processes, self.folder) = (processes, folder)
    }

    func stop() { for process in processes { process.stop() } }

    func measure(_ workload: Workload, _ effort: Effort) throws -> Measurement {
        let key = "key-000000000000"
        let put = GRPCBody.put(key, valueBytes: workload.valueBytes)
        if workload.traffic == .read { _ = try run(put, "Put", ["-n", "1", "-c", "1"], within: .seconds(30)) }
        let (bytes, method) = workload.traffic == .write ? (put, "Put") : (GRPCBody.range(key), "Range")
        // h2load counts in whole seconds.
        let seconds = Int(effort.seconds.rounded(.up))
        let clients = ["-c", "\(workload.connections)"]
        if effort.warmup > 0 { _ = try run(bytes, method, ["-D", "1"] + clients, within: .seconds(30)) }
        let (before, revisionBefore) = (take(), revision())
        let times = try run(
            bytes, method, ["-D", "\(seconds)"] + clients, within: .seconds(seconds + 30))
        let after = take()
        // A gRPC error is HTTP 200 too: only the revision says that the writes took place.
        let applied = revision() - revisionBefore
        if workload.traffic == .write, applied < times.count {
            throw BenchError("etcd applied \(applied) of \(times.count) writes")
        }
        guard times.count > 0 else { throw BenchError("h2load logged no request") }
        return Measurement(
            operations: times.count, seconds: Double(seconds), latency: times.summary,
            cost: Cost(from: before, to: after, operations: times.count),
            command: BenchCommand.compare(kind, workload, effort))
    }

    private func run(
        _ message: [UInt8], _ method: String, _ amount: [String], within limit: Duration
    ) throws -> Latencies {
        let (body, log) = ("\(folder)/body.bin", "\(folder)/h2load.log")
        try Data(message).write(to: URL(fileURLWithPath: body))
        try? FileManager.default.removeItem(atPath: log)
        let command =
            [load] + amount + [
                "-m", "1", "-d", body, "-H", "content-type: application/grpc", "-H", "te: trailers", "--log-file", log,
                "http://127.0.0.1:\(port)/etcdserverpb.KV/\(method)",
            ]
        _ = try ChildProcess.output(of: command, folder: folder, within: limit)
        return H2LoadLog.latencies(log)
    }

    private func take() -> ProcessUsage {
        var usage = ProcessUsage.of(processes.map(\.pid))
        usage.syncs = MetricsProbe.sum("etcd_disk_wal_fsync_duration_seconds_count", ports: clientPorts)
        return usage
    }

    private func revision() -> Int {
        let reply = JSONGateway.post("/v3/kv/range", "{\"key\":\"AA==\"}", port: port)
        return ((reply?["header"] as? [String: Any])?["revision"] as? String).flatMap { Int($0) } ?? 0
    }
}

/// gRPC frames: a zero byte, the length in four big-endian bytes, the protobuf message.
enum GRPCBody {
    /// Field 1: the key, field 2: the value.
    static func put(_ key: String, valueBytes: Int) -> [UInt8] {
        frame(field(1, Array(key.utf8)) + field(2, [UInt8](repeating: 0x78, count: valueBytes)))
    }

    /// Field 1: the key; linearizable by default.
    static func range(_ key: String) -> [UInt8] { frame(field(1, Array(key.utf8))) }

    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2] + varint(bytes.count) + bytes
    }

    private static func varint(_ value: Int) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
    }

    private static func frame(_ message: [UInt8]) -> [UInt8] {
        let count = UInt32(message.count)
        return [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + message
    }
}

enum H2LoadLog {
    /// Start of the request, HTTP status, microseconds.
    static func latencies(_ path: String) -> Latencies {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        var latencies = Latencies()
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let columns = line.split(separator: UInt8(ascii: "\t"))
            guard columns.count >= 3, columns[1].elementsEqual("200".utf8),
                let time = Int(String(decoding: columns[2], as: UTF8.self))
            else { continue }
            latencies.record(nanoseconds: UInt64(max(0, time)) * 1_000)
        }
        return latencies
    }
}
