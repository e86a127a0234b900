/// `roostd` as it is delivered, alone or as three founders on this machine.
struct RoostCluster: Subject {
    let roostd: String
    let benchmark: String
    let nodes: Int

    var name: String { nodes == 1 ? "Roost, 1 node" : "Roost, \(nodes) nodes" }

    func measure(_ plan: Plan, _ workspace: Workspace) -> [Sample] {
        do {
            return try workspace.withFolder("roost") { folder in
                let ports = try (0..<nodes).map { _ in try (redis: Port.free(), peer: Port.free(), http: Port.free()) }
                let processes = try ports.indices.map { try start($0, ports, folder) }
                defer { processes.forEach { $0.stop() } }
                return try measure(plan, ports.map(\.redis), folder, processes)
            }
        } catch {
            return [.failure(name, "\(error)")]
        }
    }

    private func start(
        _ index: Int, _ ports: [(redis: UInt16, peer: UInt16, http: UInt16)], _ folder: String
    ) throws -> ChildProcess {
        let port = ports[index]
        var command = [
            roostd, "--node-id", "\(index + 1)", "--data-dir", "\(folder)/node\(index + 1)", "--cluster-name", "bench",
            "--listen-redis", "127.0.0.1:\(port.redis)", "--listen-peer", "127.0.0.1:\(port.peer)",
            "--listen-http", "127.0.0.1:\(port.http)", "--log-level", "warning",
        ]
        if nodes > 1 {
            let peers = ports.enumerated().map { "\($0.offset + 1)=127.0.0.1:\($0.element.peer)" }
            command += ["--peers", peers.joined(separator: ",")]
        }
        return try ChildProcess(command, log: "\(folder)/node\(index + 1).log")
    }

    private func measure(
        _ plan: Plan, _ ports: [UInt16], _ folder: String, _ processes: [ChildProcess]
    ) throws -> [Sample] {
        let leader = try waitForLeader(ports, processes)
        let load = RedisBenchmark(tool: benchmark)
        if nodes == 1 { return load.run(plan, name, port: leader, folder) }
        guard let follower = ports.first(where: { $0 != leader }) else { return [] }
        return load.run(plan, "\(name), at the leader", port: leader, folder)
            + load.run(plan, "\(name), at a follower", port: follower, folder)
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
