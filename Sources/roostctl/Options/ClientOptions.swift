import ArgumentParser
import FoundationEssentials

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case table
    /// One JSON object, on one line.
    case json
    /// For scripts: values as they are, columns separated by tabs, no headings.
    case plain
}

/// Options of every verb that talks to nodes; they stand before the verb.
struct ClientOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("The nodes' redis ports, tried in turn.", valueName: "host:port,…"),
        transform: parseNodes)
    var nodes: [Endpoint]?

    @Option(name: .shortAndLong, help: "table, json or plain.")
    var output: OutputFormat = .table

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            How long to go on trying what is certainly not done yet. The reply to a write that was sent is awaited \
            a little longer.
            """, valueName: "seconds"))
    var timeout: Double = 10

    func validate() throws {
        guard timeout > 0, timeout <= 3600 else { throw ValidationError("--timeout: expected 0 < seconds <= 3600") }
    }

    /// The nodes to talk to: the option, ROOST_NODES, the standard port, or the demo's three.
    ///
    /// - Throws: `ValidationError` if ROOST_NODES does not parse.
    func endpoints() throws -> [Endpoint] {
        if let nodes { return nodes }
        if let variable = ProcessInfo.processInfo.environment["ROOST_NODES"], !variable.isEmpty {
            guard let nodes = Endpoint.list(variable) else {
                throw ValidationError("ROOST_NODES=\(variable): expected HOST:PORT,HOST:PORT,…")
            }
            return nodes
        }
        return Socket.isRefused(by: .standard) ? DemoNode.all.map(\.redis) : [.standard]
    }

    private static func parseNodes(_ text: String) throws -> [Endpoint] {
        guard let nodes = Endpoint.list(text) else { throw ValidationError("expected HOST:PORT,HOST:PORT,…") }
        return nodes
    }
}
