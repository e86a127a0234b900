import ArgumentParser
import RESP

struct MemberList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the members as the leader knows them, or another node while there is none.")

    @ParentCommand var root: Roostctl

    func run() throws {
        try reportingFailure {
            let endpoints = NodeReport.withPeers(NodeReport.survey(try root.client.endpoints())).map(\.endpoint)
            var client = ClusterClient(endpoints, timeout: .seconds(root.client.timeout))
            let reply = try client.execute(.read("ROOST.MEMBER", "LIST"))
            guard case .array(let rows) = reply else { throw Failure.unexpected(reply) }
            Self.print(try rows.map { row throws(Failure) in try Member(row) }, root.client.output)
        }
    }

    private static func print(_ members: [Member], _ format: OutputFormat) {
        if format == .json {
            return Console.print(JSON.array(members.map(\.json)).description)
        }
        var table = Table([
            "NODE": .right, "ROLE": .left, "LEADS": .left, "PEER": .left, "REDIS": .left, "HTTP": .left,
        ])
        members.forEach { table.append($0.cells) }
        let lines = format == .plain ? members.map { $0.cells.joined(separator: "\t") } : table.lines
        lines.forEach { Console.print($0) }
    }
}

/// A row of `ROOST.MEMBER LIST`.
private struct Member {
    let node: Int64
    let role: String
    let isLeader: Bool
    let peer: String
    let redis: String
    let http: String

    /// - Parameter row: RESP2's form of a map, names and values in turn.
    init(_ row: Reply) throws(Failure) {
        guard case .array(let flat) = row, flat.count.isMultiple(of: 2) else { throw .unexpected(row) }
        func value(_ name: String) throws(Failure) -> Reply {
            let index = stride(from: 0, to: flat.count, by: 2).first { flat[$0].text == name }
            guard let index else { throw .unexpected(row) }
            return flat[index + 1]
        }
        func text(_ name: String) throws(Failure) -> String { try value(name).text ?? "" }
        func number(_ name: String) throws(Failure) -> Int64 {
            guard case .integer(let number) = try value(name) else { throw .unexpected(row) }
            return number
        }
        node = try number("node")
        role = try text("role")
        isLeader = try number("leader") == 1
        peer = try text("peer")
        redis = try text("redis")
        http = try text("http")
    }

    var cells: [String] {
        [String(node), role, isLeader ? "yes" : ""] + [peer, redis, http].map { $0.isEmpty ? "-" : $0 }
    }

    var json: JSON {
        .object([
            "node": .integer(node), "role": .string(role), "leader": .boolean(isLeader), "peer": .string(peer),
            "redis": .string(redis), "http": .string(http),
        ])
    }
}
