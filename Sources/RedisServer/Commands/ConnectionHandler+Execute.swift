import KeyValue
import RESP

extension ConnectionHandler {
    /// Executes the command, or starts it. False: it must wait for reads that are owed; nothing has happened.
    func execute(_ arguments: ArgumentList) -> Bool {
        guard let name = PackedName(arguments[0]), let entry = command(named: name) else {
            replyUnknown(arguments)
            return true
        }
        guard entry.accepts(argumentCount: arguments.count) else {
            replyWrongArity(entry.command.rawValue)
            return true
        }
        switch entry.kind {
        case .write:
            if mustFinishReads { return false }
            guard loop.backend.isReady else { return replyLoading() }
            server.metrics.writeCommands.add(1)
            executeWrite(entry.command, arguments)
        case .read:
            guard loop.backend.isReady else { return replyLoading() }
            server.metrics.readCommands.add(1)
            executeRead(entry.command, arguments)
        case .local:
            server.metrics.otherCommands.add(1)
            executeLocal(entry.command, arguments)
        }
        return true
    }

    func replyError(_ message: String) { reply { $0.writeError(message) } }

    func replyWrongArity(_ name: String) { replyError("ERR wrong number of arguments for '\(name)' command") }

    func replyUnknownSubcommand(_ name: String, _ arguments: ArgumentList) {
        let shown = String(arguments.text(1).prefix(128))
        replyError("ERR unknown subcommand '\(shown)'. Try COMMAND DOCS \(name.uppercased()).")
    }

    /// Answers true, for `execute`.
    private func replyLoading() -> Bool {
        replyError(ServerContext.loading)
        return true
    }

    func replyUnknown(_ arguments: ArgumentList) {
        let shown = (1..<arguments.count).prefix(8).map { "'\(arguments.text($0).prefix(128))' " }.joined()
        replyError("ERR unknown command '\(arguments.text(0).prefix(128))', with args beginning with: \(shown)")
    }
}
