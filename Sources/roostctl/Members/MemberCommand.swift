import ArgumentParser
import RESP

struct MemberCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Show and change who belongs to the cluster.",
        discussion: """
            A new machine joins by itself: roostd --join HOST:PORT. It gets an id, receives the data as a learner, and is \
            made a voter once it keeps up. A node that is gone for good is removed, and another one joins in its place.
            """,
        subcommands: [MemberList.self, MemberAdd.self, MemberPromote.self, MemberRemove.self])
}

/// A verb that the leader carries out. One address of the cluster is enough: the others are asked for.
protocol MembershipVerb: ParsableCommand {
    var root: Roostctl { get }
    /// The command to send.
    var arguments: [String] { get }
    /// What people read when it is done.
    func done(_ reply: Reply) throws(Failure) -> String
}

extension MembershipVerb {
    func run() throws {
        try reportingFailure {
            let endpoints = NodeReport.withPeers(NodeReport.survey(try root.client.endpoints())).map(\.endpoint)
            var client = ClusterClient(endpoints, timeout: .seconds(root.client.timeout))
            let reply = try client.execute(ClusterClient.Command(arguments: arguments, isWrite: true))
            let text = try done(reply)
            switch root.client.output {
            case .table: Console.print(text)
            case .plain: Console.print(Self.plain(reply))
            case .json: Console.print(JSON.object(["result": .string(Self.plain(reply))]).description)
            }
        }
    }

    private static func plain(_ reply: Reply) -> String {
        if case .integer(let number) = reply { return String(number) }
        return reply.text ?? ""
    }
}

struct MemberAdd: MembershipVerb {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make room for a node that does not run yet.",
        discussion: """
            Only needed to choose its id, or to keep it a learner: roostd --join does the rest. The node that joins from \
            this peer address takes the room.
            """)

    @ParentCommand var root: Roostctl
    @Argument(help: ArgumentHelp("Where the other nodes will dial it.", valueName: "host:port")) var address: String
    @Option(help: "Its id; default: the next one.") var id: UInt64?
    @Flag(help: "It stays a learner until `member promote`.") var learner = false

    var arguments: [String] {
        ["ROOST.MEMBER", "ADD", address] + (id.map { [String($0)] } ?? []) + (learner ? ["LEARNER"] : [])
    }

    func done(_ reply: Reply) throws(Failure) -> String {
        guard case .integer(let id) = reply else { throw .unexpected(reply) }
        return "node \(id) may join from \(address): roostd --join ADDRESS-OF-A-MEMBER --listen-peer \(address) …"
    }
}

struct MemberPromote: MembershipVerb {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Make a learner that keeps up a voter.")

    @ParentCommand var root: Roostctl
    @Argument(help: "Its id.") var node: UInt64

    var arguments: [String] { ["ROOST.MEMBER", "PROMOTE", String(node)] }
    func done(_ reply: Reply) throws(Failure) -> String { "node \(node) is a voter" }
}

struct MemberRemove: MembershipVerb {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a node, running or not; one that runs ends with exit code 0.",
        discussion: """
            The leader hands over first. Refused where the voters that are left would have no majority within reach. \
            The id is never used again.
            """)

    @ParentCommand var root: Roostctl
    @Argument(help: "Its id.") var node: UInt64

    var arguments: [String] { ["ROOST.MEMBER", "REMOVE", String(node)] }
    func done(_ reply: Reply) throws(Failure) -> String { "node \(node) is no member any more" }
}

struct TransferCommand: MembershipVerb {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "Hand leadership to a voter; without an id, to the one whose log is longest.")

    @ParentCommand var root: Roostctl
    @Argument(help: "Its id.") var node: UInt64?

    var arguments: [String] { ["ROOST.MEMBER", "TRANSFER"] + (node.map { [String($0)] } ?? []) }
    func done(_ reply: Reply) throws(Failure) -> String {
        "leadership handed over" + (node.map { " to node \($0)" } ?? "")
    }
}
