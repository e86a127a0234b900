import RESP
import Synchronization

/// A cluster whose members come and go: `Cluster`'s founders, and nodes that join it.
final class ElasticCluster: Sendable {
    private let sandbox: Sandbox
    private let arguments: [String]
    private let timing: Timing
    private let everybody: Mutex<[DaemonProcess]>

    /// Starts founders 1...n and waits until each of them serves.
    init(
        _ sandbox: Sandbox, founders: UInt64 = 3, timing: Timing = .calm, arguments: [String] = []
    ) throws {
        self.sandbox = sandbox
        (self.arguments, self.timing) = (arguments, timing)
        let cluster = try Cluster(sandbox, count: founders, timing: timing, arguments: arguments)
        everybody = Mutex(cluster.nodes)
    }

    /// Founders first, then the others in the order in which they came; those that left too.
    var nodes: [DaemonProcess] { everybody.withLock(\.self) }
    var running: [DaemonProcess] { nodes.filter(\.isRunning) }
    var ports: [UInt16] { nodes.map(\.settings.redis) }

    /// Makes a node that is to join; it does not run yet.
    func newcomer(through member: DaemonProcess? = nil) throws -> DaemonProcess {
        let member = try member ?? anyRunning()
        var settings = try DaemonProcess.Settings(sandbox, node: 100 + UInt64(nodes.count))
        settings.join = member.settings.peer
        (settings.arguments, settings.timing) = (arguments, timing)
        let daemon = DaemonProcess(settings, sandbox: sandbox)
        everybody.withLock { $0.append(daemon) }
        return daemon
    }

    /// Starts a new node with `--join` and waits until it is a voter that serves.
    @discardableResult
    func grow(through member: DaemonProcess? = nil, within limit: Duration = .patience) throws -> DaemonProcess {
        let daemon = try newcomer(through: member)
        try daemon.start()
        try waitUntilVoter(daemon, within: limit)
        return daemon
    }

    func waitUntilVoter(_ daemon: DaemonProcess, within limit: Duration = .patience) throws {
        try daemon.waitUntilServing(within: limit)
        try eventually("\(daemon.node) is a voter by its own word", within: limit) {
            let status = try daemon.status()
            return status.voters.contains(status.node) ? () : nil
        }
    }

    /// The running node that says so of itself in the highest term, and is believed by a majority of the voters it names.
    func leader(within limit: Duration = .patience) throws -> DaemonProcess {
        try eventually("one leader known to a majority", within: limit) {
            let statuses = running.compactMap { node in (try? node.status()).map { (node, $0) } }
            guard let leader = statuses.filter({ $0.1.role == "leader" }).max(by: { $0.1.term < $1.1.term }) else {
                return nil
            }
            let believers = statuses.count { status in
                status.1.leader == leader.1.node && status.1.term == leader.1.term
                    && leader.1.voters.contains(status.1.node)
            }
            return 2 * believers > leader.1.voters.count ? leader.0 : nil
        }
    }

    func follower() throws -> DaemonProcess {
        let leader = try leader()
        guard let follower = running.first(where: { $0 !== leader }) else { throw TestFailure("no follower runs") }
        return follower
    }

    /// Sends `ROOST.MEMBER words` to the leader, and again to the next one while the reply says that nothing was done.
    @discardableResult
    func member(_ words: String..., within limit: Duration = .patience) throws -> Reply {
        try eventually("ROOST.MEMBER \(words.joined(separator: " "))", within: limit) {
            let reply = try leader().connect().call(["ROOST.MEMBER"] + words)
            guard let word = reply.errorWord else { return reply }
            if ErrorWord.notApplied.contains(word) || word == ErrorWord.unknownOutcome { throw TestFailure("\(reply)") }
            return reply
        }
    }

    /// Removes a node by its id, whether it runs or not.
    func remove(_ id: UInt64) throws {
        let reply = try member("REMOVE", "\(id)")
        guard reply == .ok else { throw TestFailure("REMOVE \(id) was answered \(reply)") }
    }

    private func anyRunning() throws -> DaemonProcess {
        guard let node = running.first else { throw TestFailure("no node runs") }
        return node
    }
}

extension DaemonProcess {
    /// The id by which the cluster knows it.
    var id: UInt64 { get throws { try status().node } }
}
