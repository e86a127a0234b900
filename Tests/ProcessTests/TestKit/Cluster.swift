import RESP

/// Founding nodes 1...n of one cluster on loopback.
final class Cluster: Sendable {
    let nodes: [DaemonProcess]
    private let links: [Link: LinkProxy]

    /// What one node sends to another, over the connection that it dialled.
    struct Link: Hashable, Sendable {
        var from: UInt64
        var to: UInt64
    }

    /// Starts all and waits until each of them serves.
    ///
    /// - Parameters:
    ///   - proxied: nodes dial each other through proxies, whose links can be cut and blocked.
    ///   - prepare: changes what a node is started with.
    init(
        _ sandbox: Sandbox, count: UInt64 = 3, timing: Timing = .calm, arguments: [String] = [], proxied: Bool = false,
        prepare: (inout DaemonProcess.Settings) throws -> Void = { _ in }
    ) throws {
        var links: [Link: LinkProxy] = [:]
        nodes = try DaemonProcess.withoutPortClashes {
            var settings = try (1...count).map { try DaemonProcess.Settings(sandbox, node: $0) }
            let ports = Dictionary(uniqueKeysWithValues: settings.map { ($0.node, $0.peer) })
            for index in settings.indices {
                settings[index].founders = ports
                (settings[index].arguments, settings[index].timing) = (arguments, timing)
                try prepare(&settings[index])
                let from = settings[index].node
                guard proxied else { continue }
                for (to, port) in ports where to != from {
                    let proxy = try LinkProxy(to: port, sandbox)
                    links[Link(from: from, to: to)] = proxy
                    settings[index].founders[to] = proxy.port
                }
            }
            return settings.map { DaemonProcess($0, sandbox: sandbox) }
        }
        self.links = links
        try waitUntilServing()
    }

    /// The links of a proxied cluster, in a fixed order.
    var proxies: [LinkProxy] {
        links.sorted { ($0.key.from, $0.key.to) < ($1.key.from, $1.key.to) }.map(\.value)
    }

    /// Nothing passes between the node and the others, in either direction, until `heal`.
    func isolate(_ node: DaemonProcess) {
        for (link, proxy) in links where link.from == node.node || link.to == node.node { proxy.block() }
    }

    /// Nothing passes on what the node dialled, until `heal`: it hears the others, they do not hear it.
    func mute(_ node: DaemonProcess) {
        for (link, proxy) in links where link.from == node.node { proxy.block() }
    }

    func heal() { links.values.forEach { $0.heal() } }

    var running: [DaemonProcess] { nodes.filter(\.isRunning) }

    func node(_ id: UInt64) -> DaemonProcess { nodes[Int(id) - 1] }

    /// Waits until every running node answers a linearizable read.
    func waitUntilServing(within limit: Duration = .patience) throws {
        for node in running { try node.waitUntilServing(within: limit) }
    }

    /// The node that says so of itself in the highest term, and that a majority of all nodes takes for it.
    func leader(within limit: Duration = .patience) throws -> DaemonProcess {
        try eventually("one leader known to a majority", within: limit) {
            let statuses = running.compactMap { try? $0.status() }
            guard let leader = statuses.filter({ $0.role == "leader" }).max(by: { $0.term < $1.term }) else {
                return nil
            }
            let believers = statuses.count { $0.leader == leader.node && $0.term == leader.term }
            return 2 * believers > nodes.count ? node(leader.node) : nil
        }
    }

    func followers(within limit: Duration = .patience) throws -> [DaemonProcess] {
        let leader = try leader(within: limit)
        return running.filter { $0 !== leader }
    }

    /// Starts every node that does not run.
    func restartDead() throws {
        for node in nodes where !node.isRunning { try node.start() }
    }
}
