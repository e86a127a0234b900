import ArgumentParser
import Glibc

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Run three nodes on this machine, and break them.",
        subcommands: [
            DemoRun.self, DemoKill.self, DemoPause.self, DemoResume.self, DemoRestart.self, DemoPartition.self,
            DemoHeal.self, DemoStatus.self,
        ])
}

/// Where the demo lives; the same for all its verbs.
struct DemoOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The demo's folder.", valueName: "folder"))
    var directory: String = ".roost-demo"

    /// - Throws: `Failure` if there is no working directory to start from.
    func folder() throws(Failure) -> DemoFolder {
        guard !directory.hasPrefix("/") else { return DemoFolder(path: directory) }
        guard let current = getcwd(nil, 0) else { throw Failure(.refused, "the working directory is gone") }
        defer { free(current) }
        return DemoFolder(path: "\(String(cString: current))/\(directory)")
    }
}

/// The program beside this one, as `make build` puts them.
func siblingRoostd() -> String {
    guard let path = realpath("/proc/self/exe", nil) else { return "roostd" }
    defer { free(path) }
    let folder = String(cString: path).split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.joined(separator: "/") + "/roostd"
}

/// Which node a verb is for.
enum DemoTarget: ExpressibleByArgument {
    case node(DemoNode)
    case leader

    init?(argument: String) {
        if argument == "leader" {
            self = .leader
        } else if let node = DemoNode.all.first(where: { String($0.id) == argument }) {
            self = .node(node)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { DemoNode.all.map { String($0.id) } + ["leader"] }

    func resolve() throws(Failure) -> DemoNode {
        switch self {
        case .node(let node): node
        case .leader: try DemoLeader.wait()
        }
    }
}

struct DemoRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Start three nodes, and stop them at Ctrl-C. The data stays.")

    @OptionGroup var demo: DemoOptions
    @Option(help: ArgumentHelp("The daemon; default: beside this program.", valueName: "path"))
    var roostd: String?

    func run() throws {
        try reportingFailure {
            var runner = try DemoRunner(folder: demo.folder(), program: roostd ?? siblingRoostd())
            try runner.run()
        }
    }
}

/// A verb that sends one signal to one node.
protocol DemoSignal: ParsableCommand {
    static var signal: Int32 { get }
    static var done: String { get }
    var demo: DemoOptions { get }
    var target: DemoTarget { get }
}

extension DemoSignal {
    func run() throws {
        try reportingFailure {
            let node = try target.resolve()
            let process = NodeProcess(node, in: try demo.folder())
            guard let pid = process.send(Self.signal) else {
                throw Failure(.refused, "node \(node.id) is down; start it again: roostctl demo restart \(node.id)")
            }
            Console.print("node \(node.id) (pid \(pid)) \(Self.done)")
        }
    }
}

struct DemoKill: DemoSignal {
    static let configuration = CommandConfiguration(commandName: "kill", abstract: "kill -9 a node.")
    static let signal = SIGKILL
    static let done = "killed"
    @OptionGroup var demo: DemoOptions
    @Argument(help: "1, 2, 3 or leader.") var target: DemoTarget
}

struct DemoPause: DemoSignal {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop a node in its tracks (SIGSTOP), connections and all.")
    static let signal = SIGSTOP
    static let done = "paused"
    @OptionGroup var demo: DemoOptions
    @Argument(help: "1, 2, 3 or leader.") var target: DemoTarget
}

struct DemoResume: DemoSignal {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let a paused node go on.")
    static let signal = SIGCONT
    static let done = "goes on"
    @OptionGroup var demo: DemoOptions
    @Argument(help: "1, 2 or 3.") var target: DemoTarget
}

struct DemoRestart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Start a node that is down; without a number, all that are down.")

    @OptionGroup var demo: DemoOptions
    @Option(help: ArgumentHelp("The daemon; default: beside this program.", valueName: "path"))
    var roostd: String?
    @Argument(help: "1, 2 or 3.") var target: DemoTarget?

    func run() throws {
        try reportingFailure {
            let folder = try demo.folder()
            let nodes = try target.map { [try $0.resolve()] } ?? DemoNode.all
            guard access(folder.path, F_OK) == 0 else { throw Self.notRunning }
            let change = try File.Lock(folder.changeLock, waiting: true)
            // Nobody would stop a node that outlives its runner.
            if try File.Lock(folder.runLock, waiting: false) != nil { throw Self.notRunning }
            var started = 0
            for process in nodes.map({ NodeProcess($0, in: folder) }) where process.pid == nil {
                let pid = try process.start(program: roostd ?? siblingRoostd())
                Console.print("node \(process.node.id) started as pid \(pid)")
                started += 1
            }
            if started == 0 {
                Console.print("nothing to start: no node is down (a paused one: roostctl demo resume N)")
            }
            _ = consume change
        }
    }

    private static let notRunning = Failure(.refused, "no demo runs here; start it: make demo (or roostctl demo run)")
}

struct DemoStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the demo's processes; exit 1 unless all three are up.")

    @ParentCommand var root: Roostctl
    @OptionGroup var demo: DemoOptions
    @Argument(help: "1, 2, 3 or leader; default: all.") var target: DemoTarget?

    func run() throws {
        var isWhole = true
        try reportingFailure {
            let folder = try demo.folder()
            let nodes = try target.map { [try $0.resolve()] } ?? DemoNode.all
            let processes = nodes.map { NodeProcess($0, in: folder) }
            let rows = processes.map { process in (process, process.pid, process.state) }
            isWhole = rows.allSatisfy { $0.2 == .up }
            Self.print(rows, folder, root.client.output)
        }
        if !isWhole { throw ExitCode(1) }
    }

    private static func print(
        _ rows: [(NodeProcess, pid_t?, NodeProcess.State)], _ folder: DemoFolder, _ format: OutputFormat
    ) {
        if format == .json {
            let nodes = rows.map { process, pid, state in
                JSON.object([
                    "node": .integer(Int64(process.node.id)), "state": .string("\(state)"),
                    "pid": pid.map { .integer(Int64($0)) } ?? .null,
                    "redis": .string(process.node.redis.description), "log": .string(folder.log(process.node)),
                ])
            }
            return Console.print(JSON.array(nodes).description)
        }
        var table = Table(["NODE": .right, "STATE": .left, "PID": .right, "REDIS": .left, "LOG": .left])
        let cells = rows.map { process, pid, state in
            [
                String(process.node.id), "\(state)", pid.map(String.init) ?? "-", process.node.redis.description,
                folder.log(process.node),
            ]
        }
        cells.forEach { table.append($0) }
        (format == .plain ? cells.map { $0.joined(separator: "\t") } : table.lines).forEach { Console.print($0) }
    }
}
