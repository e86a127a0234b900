import ArgumentParser
import RESP

/// A verb that is one Redis command: says which one, and how its reply reads.
protocol KeyCommand: ParsableCommand {
    var root: Roostctl { get }
    /// The command to send.
    var command: ClusterClient.Command { get }
    /// Prints the reply, which is no error.
    ///
    /// - Throws: `ExitCode` for a result that is a code of its own, `Failure` for a reply of an unexpected type.
    func print(_ reply: Reply, as format: OutputFormat) throws
}

extension KeyCommand {
    func run() throws {
        try reportingFailure {
            var client = ClusterClient(try root.client.endpoints(), timeout: .seconds(root.client.timeout))
            try print(try client.execute(command), as: root.client.output)
        }
    }

    /// Prints an integer reply: as it is, or under `name` beside the key.
    func print(integer reply: Reply, key: String, name: String, as format: OutputFormat) throws {
        guard case .integer(let number) = reply else { throw Failure.unexpected(reply) }
        switch format {
        case .table, .plain: Console.print(String(number))
        case .json: Console.print(JSON.object(["key": .string(key), name: .integer(number)]).description)
        }
    }
}

extension Failure {
    static func unexpected(_ reply: Reply) -> Failure { Failure(.refused, "unexpected reply: \(reply)") }
}
