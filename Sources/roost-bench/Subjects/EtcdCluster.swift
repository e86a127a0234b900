import Foundation

/// etcd with its defaults, under gRPC requests made by h2load; load goes to the leader.
struct EtcdCluster: Subject {
    let etcd: String
    let load: String
    let nodes: Int

    var name: String { nodes == 1 ? "etcd, 1 node" : "etcd, \(nodes) nodes, at the leader" }

    func measure(_ plan: Plan, _ workspace: Workspace) -> [Sample] {
        do {
            return try workspace.withFolder("etcd") { folder in
                let ports = try (0..<nodes).map { _ in try (client: Port.free(), peer: Port.free()) }
                let processes = try ports.indices.map { try start($0, ports, folder) }
                defer { processes.forEach { $0.stop() } }
                let leader = try waitForLeader(ports.map(\.client), processes)
                let flights = plan.lines.filter { $0.pipeline == 1 }.map(\.clients)
                return flights.map { run(.write, $0, leader, plan, folder) }
                    + flights.map { run(.read, $0, leader, plan, folder) }
            }
        } catch {
            return [.failure(name, "\(error)")]
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

    private func run(_ kind: Workload.Kind, _ clients: Int, _ port: UInt16, _ plan: Plan, _ folder: String) -> Sample {
        Sample.of(name, Workload(kind: kind, clients: clients)) {
            let (body, log) = ("\(folder)/\(kind).bin", "\(folder)/h2load.log")
            try Data(kind == .write ? GRPCBody.put : GRPCBody.range).write(to: URL(fileURLWithPath: body))
            try? FileManager.default.removeItem(atPath: log)
            let method = kind == .write ? "Put" : "Range"
            let command = [
                load, "-c", "\(clients)", "-m", "1", "-D", "\(plan.secondsPerRun)", "-d", body,
                "-H", "content-type: application/grpc", "-H", "te: trailers", "--log-file", log,
                "http://127.0.0.1:\(port)/etcdserverpb.KV/\(method)",
            ]
            let before = revision(port)
            _ = try ChildProcess.output(of: command, folder: folder, within: plan.runLimit)
            let times = H2LoadLog.microseconds(log)
            // A gRPC error is HTTP 200 too: only the revision says that the writes took place.
            if kind == .write, revision(port) - before < times.count {
                throw BenchError("etcd applied \(revision(port) - before) of \(times.count) writes")
            }
            guard !times.isEmpty else { throw BenchError("h2load logged no request") }
            return Measurement(
                perSecond: Double(times.count) / Double(plan.secondsPerRun),
                p50Milliseconds: times[times.count / 2] / 1_000,
                p99Milliseconds: times[times.count * 99 / 100] / 1_000, command: command)
        }
    }

    private func revision(_ port: UInt16) -> Int {
        let reply = JSONGateway.post("/v3/kv/range", "{\"key\":\"AA==\"}", port: port)
        return ((reply?["header"] as? [String: Any])?["revision"] as? String).flatMap { Int($0) } ?? 0
    }
}

/// gRPC frames: a zero byte, the length in four big-endian bytes, the protobuf message.
private enum GRPCBody {
    /// Field 1: the key, field 2: the value.
    static let put = frame(field(1, key) + field(2, [UInt8](repeating: 0x78, count: Plan.valueBytes)))
    /// Field 1: the key; linearizable by default.
    static let range = frame(field(1, key))
    private static let key = Array("key-000000000000".utf8)

    /// Lengths below 128 are one byte.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    private static func frame(_ message: [UInt8]) -> [UInt8] {
        [0, 0, 0, UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message
    }
}

private enum H2LoadLog {
    /// The third column of each line, ascending.
    static func microseconds(_ path: String) -> [Double] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "\t")
            return columns.count >= 3 && columns[1] == "200" ? Double(columns[2]) : nil
        }.sorted()
    }
}
