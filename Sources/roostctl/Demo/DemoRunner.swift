import Glibc
import RESP

/// `demo run`: starts the three nodes, says what to try, watches over them until it is told to end, and stops them.
///
/// One thread. Signals are blocked and taken by waiting for them, so that nothing runs in a signal handler.
struct DemoRunner: ~Copyable {
    private static let startTimeout = Duration.seconds(60)
    private static let stopTimeout = Duration.seconds(10)

    private let folder: DemoFolder
    private let program: String
    private let runLock: File.Lock
    private var signals = SignalWaiter()
    private var lastStates: [NodeProcess.State] = []

    /// - Throws: `Failure` if the demo cannot run here: it runs already, a port is taken, or the program is missing.
    init(folder: DemoFolder, program: String) throws(Failure) {
        guard access(program, X_OK) == 0 else {
            throw Failure(.refused, "\(program) is missing; build it first: make build")
        }
        guard mkdir(folder.path, 0o755) == 0 || errno == EEXIST else {
            throw Failure(.refused, "cannot make \(folder.path): \(String(cString: strerror(errno)))")
        }
        guard let lock = try File.Lock(folder.runLock, waiting: false) else {
            throw Failure(.refused, "a demo runs already in \(folder.path); stop it with Ctrl-C in its terminal")
        }
        try Self.requireNoLeftovers(in: folder)
        try Self.requireFreePorts()
        self.folder = folder
        self.program = program
        runLock = lock
    }

    /// A runner that was killed leaves its nodes behind.
    private static func requireNoLeftovers(in folder: DemoFolder) throws(Failure) {
        let running = DemoNode.all.filter { NodeProcess($0, in: folder).pid != nil }.map { String($0.id) }
        guard !running.isEmpty else { return }
        let commands = running.map { "roostctl demo kill \($0)" }.joined(separator: "; ")
        throw Failure(.refused, "nodes of an earlier demo still run; end them first: \(commands)")
    }

    private static func requireFreePorts() throws(Failure) {
        for node in DemoNode.all {
            for endpoint in [node.redis, node.peer, node.http] where !Listening.isPossible(at: endpoint) {
                throw Failure(
                    .refused,
                    "port \(endpoint.port) is taken by another program; see: ss -ltnp 'sport = :\(endpoint.port)'")
            }
        }
    }

    /// Runs the demo to its end.
    ///
    /// - Throws: `Failure` if the nodes do not come to serve; they are stopped before that.
    mutating func run() throws(Failure) {
        do throws(Failure) {
            try startAll()
            if try waitUntilServing() {
                printNextSteps()
                watch()
            }
        } catch {
            stopAll()
            throw error
        }
        stopAll()
    }

    private func nodes() -> [NodeProcess] { DemoNode.all.map { NodeProcess($0, in: folder) } }

    private func startAll() throws(Failure) {
        let lock = try File.Lock(folder.changeLock, waiting: true)
        for process in nodes() {
            let pid = try process.start(program: program)
            let node = process.node
            Console.print("node \(node.id)  pid \(pid)  redis \(node.redis)  log \(folder.log(node))")
        }
        _ = consume lock
    }

    /// Waits until a write and a read of its value go through a leader.
    ///
    /// - Returns: false if a signal came first.
    private mutating func waitUntilServing() throws(Failure) -> Bool {
        let deadline = Deadline.in(Self.startTimeout)
        while true {
            if signals.wait(.milliseconds(100)) == .end { return false }
            reapChildren()
            for process in nodes() where process.pid == nil { throw ended(process.node) }
            if let leader = DemoLeader.find(), Self.serves(leader) { return true }
            guard !deadline.hasPassed else {
                throw Failure(.refused, "no leader serves after \(Self.startTimeout); see \(folder.path)/node*.log")
            }
        }
    }

    private func ended(_ node: DemoNode) -> Failure {
        let tail = (File.read(folder.log(node)) ?? "").split(separator: "\n").suffix(5).map { "\n    \($0)" }.joined()
        return Failure(.refused, "node \(node.id) ended while it started; the end of \(folder.log(node)):\(tail)")
    }

    /// A key of the demo's own, removed again.
    private static func serves(_ leader: DemoNode) -> Bool {
        let key = "roostctl:demo:check"
        var client = ClusterClient([leader.redis], timeout: .seconds(2))
        do throws(Failure) {
            _ = try client.execute(.write("SET", key, "served"))
            guard case .bulk(let value) = try client.execute(.read("GET", key)) else { return false }
            _ = try client.execute(.write("DEL", key))
            return value == Array("served".utf8)
        } catch {
            return false
        }
    }

    private func printNextSteps() {
        let roostctl = CommandLine.arguments[0]
        Console.print(
            """

            Three nodes serve. In another terminal:

                redis-cli -p 6401 set hello world
                redis-cli -p 6402 get hello
                \(roostctl) status
                \(roostctl) demo kill leader
                redis-cli -p 6403 get hello
                \(roostctl) demo restart

            A port whose node was killed refuses connections; the other two go on.
            Also: demo pause|resume|partition|heal|status.
            Data stays in \(folder.path) for the next run (make demo-clean removes it). Ctrl-C stops the nodes.
            """)
    }

    /// Says what happens to the nodes until a signal ends the demo.
    private mutating func watch() {
        lastStates = nodes().map(\.state)
        while signals.wait(.milliseconds(500)) != .end {
            reapChildren()
            announceChanges()
        }
    }

    private mutating func announceChanges() {
        let states = nodes().map(\.state)
        for (node, (old, new)) in zip(DemoNode.all, zip(lastStates, states)) where old != new {
            switch new {
            case .up: Console.print("node \(node.id) runs again")
            case .paused: Console.print("node \(node.id) is paused")
            case .down: Console.print("node \(node.id) is down; start it again: roostctl demo restart \(node.id)")
            }
        }
        lastStates = states
    }

    /// Nodes that `demo restart` started are no children of this process; init reaps those.
    private func reapChildren() {
        var status: Int32 = 0
        while waitpid(-1, &status, WNOHANG) > 0 {}
    }

    /// SIGTERM to every node, paused or not, whoever started it; SIGKILL to those that do not end, at once if the user
    /// asks a second time.
    private mutating func stopAll() {
        // A lock that cannot be had must not keep the nodes running.
        let lock = try? File.Lock(folder.changeLock, waiting: true)
        Console.print("\nstopping the nodes")
        for process in nodes() where process.send(SIGTERM) != nil { process.send(SIGCONT) }
        let deadline = Deadline.in(Self.stopTimeout)
        while nodes().contains(where: { $0.pid != nil }) {
            if signals.wait(.milliseconds(50)) == .end || deadline.hasPassed {
                for process in nodes() where process.send(SIGKILL) != nil {
                    Console.error("roostctl: node \(process.node.id) did not end by itself and was killed")
                }
            }
            reapChildren()
        }
        for node in DemoNode.all { unlink(folder.pidFile(node)) }
        Console.print("stopped")
        _ = consume lock
    }
}
