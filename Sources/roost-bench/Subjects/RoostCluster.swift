/// `roostd` as it is delivered, alone or as three founders on this machine.
struct RoostCluster: Subject {
    private struct Ports {
        let redis: UInt16
        let peer: UInt16
        let http: UInt16
    }

    let kind: SubjectKind
    let roostd: String

    private var nodes: Int { kind == .roost1 || kind == .roost1Lease ? 1 : 3 }
    private var hasLeaseReads: Bool { kind == .roost1Lease || kind == .roost3Lease }

    /// A lease changes nothing for writes.
    func carries(_ workload: Workload) -> Bool { !hasLeaseReads || workload.traffic.reads > 0 }

    func start(in folder: String) throws -> any RunningSubject {
        let ports = try (0..<nodes).map { _ in
            Ports(redis: try Port.free(), peer: try Port.free(), http: try Port.free())
        }
        var processes: [ChildProcess] = []
        do {
            for index in ports.indices {
                processes.append(try ChildProcess(command(index, ports, folder), log: "\(folder)/node\(index + 1).log"))
            }
            let leader = try waitForLeader(ports.map(\.redis), processes)
            let port = kind == .roost3Follower ? ports.map(\.redis).first { $0 != leader } : leader
            guard let port else { throw BenchError("there is no follower") }
            return RespServer(kind, port: port, processes: processes) {
                MetricsProbe.sum("roost_raft_log_sync_seconds_count", ports: ports.map(\.http))
            }
        } catch {
            for process in processes { process.stop() }
            throw error
        }
    }

    private func command(_ index: Int, _ ports: [Ports], _ folder: String) -> [String] {
        let port = ports[index]
        var command = [
            roostd, "--node-id", "\(index + 1)", "--data-dir", "\(folder)/node\(index + 1)", "--cluster-name", "bench",
            "--listen-redis", "127.0.0.1:\(port.redis)", "--listen-peer", "127.0.0.1:\(port.peer)",
            "--listen-http", "127.0.0.1:\(port.http)", "--log-level", "warning",
        ]
        if hasLeaseReads { command += ["--lease-reads", "true"] }
        if nodes > 1 {
            let peers = ports.enumerated().map { "\($0.offset + 1)=127.0.0.1:\($0.element.peer)" }
            command += ["--peers", peers.joined(separator: ",")]
        }
        return command
    }

    /// The port of the node that every node takes for the leader.
    private func waitForLeader(_ ports: [UInt16], _ processes: [ChildProcess]) throws -> UInt16 {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let dead = processes.first(where: { $0.hasEnded }) {
                throw BenchError("roostd ended: \(dead.lastLogLine)")
            }
            let roles = ports.map { (port: $0, role: RedisProbe.role(port: $0)) }
            if let leader = roles.first(where: { $0.role == .master }),
                roles.allSatisfy({ $0.port == leader.port || $0.role == .replica(of: leader.port) })
            {
                return leader.port
            }
            pause(.milliseconds(20))
        }
        throw BenchError("no leader within 20 s: \(processes[0].lastLogLine)")
    }
}
