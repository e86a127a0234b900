import ArgumentParser
import RESP

struct SetCommand: KeyCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Give a key a value.")

    @ParentCommand var root: Roostctl
    @Argument var key: String
    @Argument var value: String

    var command: ClusterClient.Command { .write("SET", key, value) }

    func print(_ reply: Reply, as format: OutputFormat) throws {
        guard case .simple(let text) = reply else { throw Failure.unexpected(reply) }
        switch format {
        case .table, .plain: Console.print(text)
        case .json: Console.print(JSON.object(["key": .string(key), "result": .string(text)]).description)
        }
    }
}

struct DeleteCommand: KeyCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a key; prints how many keys went, 1 or 0.")

    @ParentCommand var root: Roostctl
    @Argument var key: String

    var command: ClusterClient.Command { .write("DEL", key) }

    func print(_ reply: Reply, as format: OutputFormat) throws {
        try print(integer: reply, key: key, name: "deleted", as: format)
    }
}

struct AppendCommand: KeyCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Append to a key's value, or create it; prints the new length in bytes.")

    @ParentCommand var root: Roostctl
    @Argument var key: String
    @Argument var value: String

    var command: ClusterClient.Command { .write("APPEND", key, value) }

    func print(_ reply: Reply, as format: OutputFormat) throws {
        try print(integer: reply, key: key, name: "length", as: format)
    }
}

struct IncrementCommand: KeyCommand {
    static let configuration = CommandConfiguration(
        commandName: "incr", abstract: "Add to a key's number, 0 if there is no such key; prints the new number.")

    @ParentCommand var root: Roostctl
    @Argument var key: String
    @Argument(help: "What to add.") var amount: Int64 = 1

    var command: ClusterClient.Command { .write("INCRBY", key, String(amount)) }

    func print(_ reply: Reply, as format: OutputFormat) throws {
        try print(integer: reply, key: key, name: "value", as: format)
    }
}
