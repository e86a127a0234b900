import ArgumentParser
import RESP

struct GetCommand: KeyCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print a key's value; exit 1 if there is no such key.")

    @ParentCommand var root: Roostctl
    @Argument var key: String

    var command: ClusterClient.Command { .read("GET", key) }

    func print(_ reply: Reply, as format: OutputFormat) throws {
        switch (reply, format) {
        case (.bulk(let value), .json):
            let (name, json) = JSON.value(value)
            Console.print(JSON.object(["key": .string(key), name: json]).description)
        case (.bulk(let value), _):
            Console.print(value: value)
        case (.null, .json):
            Console.print(JSON.object(["key": .string(key), "value": .null]).description)
            throw ExitCode(1)
        case (.null, _):
            Console.error("roostctl: no such key: \(Console.printable(Array(key.utf8)))")
            throw ExitCode(1)
        default:
            throw Failure.unexpected(reply)
        }
    }
}
