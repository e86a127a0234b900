import RESP

/// Founding nodes 1...n of one cluster on loopback.
final class Cluster: Sendable {
    let nodes: [DaemonProcess]

    /// Starts all and waits until each of them serves.
    init(_ sandbox: Sandbox, count: UInt64 = 3, arguments: [String] = []) throws {
        nodes = try DaemonProcess.withoutPortClashes {
            var settings = try (1...count).map { try DaemonProcess.Settings(sandbox, node: $0) }
            let founders = Dictionary(uniqueKeysWithValues: settings.map { ($0.node, $0.peer) })
            for index in settings.indices {
                settings[index].founders = founders
                settings[index].arguments = arguments
            }
            return settings.map { DaemonProcess($0, sandbox: sandbox) }
        }
        try waitUntilServing()
    }

    var running: [DaemonProcess] { nodes.filter(\.isRunning) }

    func node(_ id: UInt64) -> DaemonProcess { nodes[Int(id) - 1] }

    /// Waits until every running node answers a linearizable read.
    func waitUntilServing(within limit: Duration = .seconds(30)) throws {
        for node in running { try node.waitUntilServing(within: limit) }
    }

    /// The node that says so of itself in the highest term, and that a majority of all nodes takes for it.
    func leader(within limit: Duration = .seconds(20)) throws -> DaemonProcess {
        try eventually("one leader known to a majority", within: limit) {
            let statuses = running.compactMap { try? $0.status() }
            guard let leader = statuses.filter({ $0.role == "leader" }).max(by: { $0.term < $1.term }) else {
                return nil
            }
            let believers = statuses.count { $0.leader == leader.node && $0.term == leader.term }
            return 2 * believers > nodes.count ? node(leader.node) : nil
        }
    }

    func followers(within limit: Duration = .seconds(20)) throws -> [DaemonProcess] {
        let leader = try leader(within: limit)
        return running.filter { $0 !== leader }
    }

    /// Starts every node that does not run.
    func restartDead() throws {
        for node in nodes where !node.isRunning { try node.start() }
    }
}
