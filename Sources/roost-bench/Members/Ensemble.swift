import Foundation
import RESP

/// Three founders on this machine, and nodes that join them.
final class Ensemble {
    struct Node {
        let number: Int
        let redis: UInt16
        let peer: UInt16
        let http: UInt16
        let folder: String

        init(_ number: Int, in folder: String) throws {
            (self.number, self.folder) = (number, folder)
            (redis, peer, http) = (try Port.free(), try Port.free(), try Port.free())
        }

        var log: String { "\(folder)/node\(number).log" }

        func command(_ roostd: String, _ arguments: [String]) -> [String] {
            [
                roostd, "--data-dir", "\(folder)/node\(number)", "--listen-redis", "127.0.0.1:\(redis)",
                "--listen-peer", "127.0.0.1:\(peer)", "--listen-http", "127.0.0.1:\(http)",
            ] + arguments
        }
    }

    private let roostd: String
    private let folder: String
    private let arguments: [String]
    /// The same for every founder.
    private let founding: [String]
    private(set) var nodes: [Node]
    /// One for each of the nodes.
    private var processes: [ChildProcess] = []

    /// Starts the founders and waits for their leader.
    init(roostd: String, folder: String, arguments: [String] = []) throws {
        (self.roostd, self.folder, self.arguments) = (roostd, folder, arguments)
        let founders = try (1...3).map { try Node($0, in: folder) }
        nodes = founders
        let peers = founders.map { "\($0.number)=127.0.0.1:\($0.peer)" }.joined(separator: ",")
        founding = ["--cluster-name", "bench", "--peers", peers]
        for node in founders { try start(node, ["--node-id", "\(node.number)"] + founding) }
        _ = try leader()
    }

    func stop() { for process in processes { process.stop() } }

    var ports: [UInt16] { nodes.map(\.redis) }

    /// The node that all take for the leader.
    func leader() throws -> Node {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let dead = processes.first(where: { $0.hasEnded }) {
                throw BenchError("a node ended: \(dead.lastLogLine)")
            }
            let statuses = ports.map(NodeStatus.of)
            if let position = statuses.firstIndex(where: { $0?.role == "leader" }), let leader = statuses[position],
                statuses.allSatisfy({ $0?.leader == leader.node })
            {
                return nodes[position]
            }
            pause(.milliseconds(10))
        }
        throw BenchError("not within 20 s: all follow one leader")
    }

    /// Ends a node as a crash does, at once.
    func kill(_ node: Node) { process(of: node).kill() }

    /// Starts a node that was killed.
    func restart(_ node: Node) throws {
        guard let position = nodes.firstIndex(where: { $0.number == node.number }) else { return }
        // What it is stands in its folder.
        processes[position] = try ChildProcess(
            node.command(roostd, ["--node-id", "\(node.number)"] + founding + arguments), log: node.log)
    }

    private func process(of node: Node) -> ChildProcess {
        guard let position = nodes.firstIndex(where: { $0.number == node.number }) else {
            preconditionFailure("node \(node.number) is not of this cluster")
        }
        return processes[position]
    }

    /// The process numbers, for their usage.
    var pids: [pid_t] { processes.map(\.pid) }

    /// Starts a node with an empty folder and `--join`.
    ///
    /// - Returns: the node, from its start until it is a voter by its own word.
    func join(within limit: Duration) throws -> (node: Node, time: Duration) {
        let node = try Node(nodes.count + 1, in: folder)
        let begun = ContinuousClock.now
        let process = try start(node, ["--join", "127.0.0.1:\(nodes[0].peer)"])
        while NodeStatus.of(node.redis).map({ $0.voters.contains($0.node) }) != true {
            if process.hasEnded { throw BenchError("the node that joins ended: \(process.lastLogLine)") }
            if ContinuousClock.now - begun > limit { throw BenchError("no voter within \(limit)") }
            pause(.milliseconds(5))
        }
        let time = ContinuousClock.now - begun
        nodes.append(node)
        return (node, time)
    }

    @discardableResult
    private func start(_ node: Node, _ identity: [String]) throws -> ChildProcess {
        let process = try ChildProcess(node.command(roostd, identity + arguments), log: node.log)
        processes.append(process)
        return process
    }

    /// Writes keys `key0` and up, in pipelines, over four connections at the leader.
    func load(keys: Int, valueBytes: Int) throws {
        guard keys > 0 else { return }
        let (port, value) = (try leader().redis, String(repeating: "v", count: valueBytes))
        let (threads, batch) = (4, 500)
        let problems = Threads.run(threads) { thread -> String? in
            do {
                let connection = try CommandConnection(port: port)
                for start in stride(from: thread * batch, to: keys, by: threads * batch) {
                    let commands = (start..<min(start + batch, keys)).map { number in
                        ["SET", "key" + String(repeating: "0", count: 13 - "\(number)".count) + "\(number)", value]
                    }
                    for reply in try connection.pipeline(commands) where reply != .simple("OK") { return "\(reply)" }
                }
                return nil
            } catch { return "\(error)" }
        }
        guard let problem = problems.compactMap(\.self).first else { return }
        throw BenchError("the keys could not be written: \(problem)")
    }
}
