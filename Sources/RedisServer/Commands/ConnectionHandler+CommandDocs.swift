import RESP

/// `COMMAND`, `COMMAND COUNT`, `COMMAND LIST`, `COMMAND INFO [name…]`, `COMMAND DOCS [name…]`: clients read the key
/// positions from here, redis-cli its hints.
extension ConnectionHandler {
    func commandCommand(_ arguments: ArgumentList) {
        let names = (2..<max(2, arguments.count)).map { arguments.text($0).lowercased() }
        switch arguments.count == 1 ? "INFO" : arguments.text(1).uppercased() {
        case "COUNT": reply { $0.writeInteger(Command.allCases.count) }
        case "LIST":
            reply { sink in
                sink.writeArrayHeader(Command.allCases.count)
                for command in Command.allCases { sink.writeBulk(command.rawValue) }
            }
        case "INFO": replyInfo(names.isEmpty ? Command.allCases : names.map(Command.init(rawValue:)))
        case "DOCS": replyDocs(names.isEmpty ? Command.allCases : names.compactMap(Command.init(rawValue:)))
        default: replyUnknownSubcommand("command", arguments)
        }
    }

    private func replyInfo(_ commands: [Command?]) {
        reply { sink in
            sink.writeArrayHeader(commands.count)
            for command in commands {
                guard let command else {
                    sink.writeNull(version)
                    continue
                }
                writeInfo(command, into: &sink)
            }
        }
    }

    private func writeInfo(_ command: Command, into sink: inout ReplyBuffer) {
        let specification = command.specification
        sink.writeArrayHeader(6)
        sink.writeBulk(command.rawValue)
        sink.writeInteger(specification.arity)
        let flags: [String]
        switch specification.kind {
        case .write: flags = ["write"]
        case .read: flags = ["readonly"]
        case .local: flags = ["loading", "stale"]
        }
        sink.writeSetHeader(flags.count, version)
        for flag in flags { sink.writeSimple(flag) }
        sink.writeInteger(specification.firstKey)
        sink.writeInteger(specification.lastKey)
        sink.writeInteger(specification.step)
    }

    private func replyDocs(_ commands: [Command]) {
        reply { sink in
            sink.writeMapHeader(commands.count, version)
            for command in commands {
                sink.writeBulk(command.rawValue)
                sink.writeMapHeader(2, version)
                sink.writeBulk("summary")
                sink.writeBulk(command.specification.summary)
                sink.writeBulk("group")
                sink.writeBulk(command.specification.group)
            }
        }
    }
}

extension Command.Specification {
    /// Redis' group names.
    var group: String {
        switch kind {
        case .write, .read: firstKey == 0 ? "server" : "string"
        case .local: "connection"
        }
    }
}
