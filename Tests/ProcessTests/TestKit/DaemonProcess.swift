import Foundation
import RESP
import Synchronization

/// One `roostd`: its directory and ports stay while its processes come and go.
final class DaemonProcess: Sendable {
    struct Settings: Sendable {
        var node: UInt64 = 1
        var directory: String
        var redis: UInt16
        var peer: UInt16
        var http: UInt16
        var clusterName = "test"
        /// Node ids and peer ports of the founders; empty: a cluster of this node alone.
        var founders: [UInt64: UInt16] = [:]
        /// The peer port of a member of the cluster to join. `node` is then no more than a name of this test's.
        var join: UInt16?
        var arguments: [String] = []
        var timing = Timing.calm
        /// Less free room than ships, so that many daemons fit on the disk of any machine; `false`: what ships.
        var isThrifty = true
        /// Where its output goes; `nil`: beside the directory.
        var log: String?
        /// For its processes, beside what every child gets.
        var environment: [String: String] = [:]

        /// Free ports and a new directory in the test's sandbox.
        init(_ sandbox: Sandbox, node: UInt64 = 1) throws {
            self.node = node
            directory = sandbox.newFolder("node\(node)")
            (redis, peer, http) = (try FreePorts.next(), try FreePorts.next(), try FreePorts.next())
        }

        var commandLine: [String] {
            let identity =
                if let join { ["--join", "127.0.0.1:\(join)"] } else {
                    ["--node-id", "\(node)", "--cluster-name", clusterName]
                }
            var line = [Binaries.roostd] + identity
            line += [
                "--data-dir", directory, "--listen-redis", "127.0.0.1:\(redis)",
                "--listen-peer", "127.0.0.1:\(peer)", "--listen-http", "127.0.0.1:\(http)",
            ]
            if !founders.isEmpty {
                let list = founders.sorted { $0.key < $1.key }.map { "\($0.key)=127.0.0.1:\($0.value)" }
                line += ["--peers", list.joined(separator: ",")]
            }
            if isThrifty {
                for (flag, size) in [("--reserve-bytes", "1MiB"), ("--min-free-bytes", "64MiB")]
                where !arguments.contains(flag) { line += [flag, size] }
            }
            return line + timing.flags(beside: arguments) + arguments
        }
    }

    let settings: Settings
    private let sandbox: Sandbox
    private let logPath: String
    private let process = Mutex<ChildProcess?>(nil)

    var node: UInt64 { settings.node }
    /// Everything its processes wrote so far.
    var log: String { readText(logPath) }
    var isRunning: Bool { process.withLock { $0?.isRunning ?? false } }
    /// The process of the latest start.
    var current: ChildProcess {
        get throws {
            guard let process = process.withLock(\.self) else { throw TestFailure("node \(node) was never started") }
            return process
        }
    }

    init(_ settings: Settings, sandbox: Sandbox) {
        self.settings = settings
        self.sandbox = sandbox
        logPath = settings.log ?? settings.directory + ".log"
        sandbox.adoptLog(logPath, title: "node \(settings.node) (\(settings.directory))")
    }

    /// A node of its own, started and answering.
    static func single(
        _ sandbox: Sandbox, arguments: [String] = [], timing: Timing = .calm
    ) throws -> DaemonProcess {
        let daemon = try withoutPortClashes {
            var settings = try Settings(sandbox)
            (settings.arguments, settings.timing) = (arguments, timing)
            return [DaemonProcess(settings, sandbox: sandbox)]
        }[0]
        try daemon.waitUntilServing()
        return daemon
    }

    /// Starts what `make` makes and waits until all of them take commands. A port that somebody else took meanwhile
    /// means another try, with others.
    static func withoutPortClashes(_ make: () throws -> [DaemonProcess]) throws -> [DaemonProcess] {
        let portInUse: Int32 = 71
        for _ in 1...3 {
            let daemons = try make()
            try daemons.forEach { try $0.start() }
            do {
                try daemons.forEach { try $0.waitUntilReady() }
                return daemons
            } catch {
                let clash = try daemons.contains { try $0.current.ended == .code(portInUse) }
                guard clash else { throw error }
                try daemons.forEach { try $0.kill() }
            }
        }
        throw TestFailure("ports in use in three tries")
    }

    /// Starts a process and returns at once.
    ///
    /// - Parameters:
    ///   - arguments: for this start only, after the others.
    ///   - environment: for this start only.
    func start(adding arguments: [String] = [], environment: [String: String] = [:]) throws {
        if isRunning { throw TestFailure("node \(node) runs already") }
        let own = settings.environment.merging(environment) { $1 }
        let child = try ChildProcess(
            settings.commandLine + arguments, environment: Binaries.environment.merging(own) { $1 }, output: logPath)
        sandbox.adopt(child)
        process.withLock { $0 = child }
    }

    /// Waits for `+PONG`.
    func waitUntilReady(within limit: Duration = .patience) throws {
        try waitFor("node \(node) answers PING", within: limit) { try $0("PING") == .simple("PONG") }
    }

    /// Waits until a linearizable read goes through: it has recovered and it sees a leader.
    func waitUntilServing(within limit: Duration = .patience) throws {
        try waitFor("node \(node) serves reads", within: limit) { try $0("GET", "no such key").errorText == nil }
    }

    private func waitFor(_ what: String, within limit: Duration, _ holds: (RedisConnection) throws -> Bool) throws {
        try eventually(what, within: limit) {
            if let exit = try current.ended {
                throw TestFailure("it ended with \(exit): \(log.split(separator: "\n").last ?? "no log")")
            }
            return try holds(connect(timeout: limit / 2)) ? () : nil
        }
    }

    func kill() throws { try current.kill() }
    func pause() throws { try current.pause() }
    func resume() throws { try current.send(SIGCONT) }

    /// SIGTERM, and how it ended.
    func terminate(within limit: Duration = .patience) throws -> ChildProcess.Exit {
        try current.send(SIGTERM)
        return try current.wait(within: limit)
    }

    func connect(timeout: Duration = .patience) throws -> RedisConnection {
        try RedisConnection(port: settings.redis, timeout: timeout)
    }

    func status() throws -> NodeStatus {
        let reply = try connect(timeout: .seconds(5))("ROOST.STATUS")
        guard let json = reply.text else { throw TestFailure("ROOST.STATUS: \(reply)") }
        return try NodeStatus(json: json)
    }

    func get(_ path: String) throws -> HTTPResponse { try HTTPResponse.get(path, port: settings.http) }
}
