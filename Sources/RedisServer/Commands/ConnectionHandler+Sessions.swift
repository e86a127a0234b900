import ByteCoding
import KeyValue
import RESP

/// Exactly-once requests: `ROOST.SESSION` opens and closes sessions, `ROOST.ONCE` sends a write command under a number.
///
/// The outcome comes from the apply stream as that of any write, so a request may be sent again, to any node, while the
/// first one is still under way.
extension ConnectionHandler {
    /// `ROOST.SESSION OPEN [IDLE milliseconds] [WINDOW requests]`, `ROOST.SESSION CLOSE session`.
    func session(_ arguments: ArgumentList) {
        switch arguments.text(1).uppercased() {
        case "OPEN": openSession(arguments)
        case "CLOSE":
            guard arguments.count == 3 else { return replyWrongArity("roost.session|close") }
            guard let session = SessionID(parsing: arguments[2]) else { return replyNoToken(arguments.text(2)) }
            write(arguments) { $0.closeSession(session) }
        default: replyUnknownSubcommand("roost.session", arguments)
        }
    }

    private func openSession(_ arguments: ArgumentList) {
        var limits = SessionLimits.standard
        var position = 2
        while position < arguments.count {
            let option = arguments.text(position).uppercased()
            guard ["IDLE", "WINDOW"].contains(option), position + 1 < arguments.count else {
                return replyError("ERR syntax error")
            }
            guard let number = DecimalInteger.parse(arguments[position + 1]) else {
                return replyError("ERR value is not an integer or out of range")
            }
            switch option {
            case "IDLE":
                guard number > 0 else { return replyError("ERR IDLE is a number of milliseconds from 1") }
                limits.idleMilliseconds = UInt64(number)
            default:
                guard number > 0, number <= SessionLimits.maxWindow else {
                    return replyError("ERR WINDOW is a number of requests from 1 to \(SessionLimits.maxWindow)")
                }
                limits.window = UInt32(number)
            }
            position += 2
        }
        write(arguments) { $0.openSession(limits) }
    }

    /// `ROOST.ONCE session number command …`: checks the command as if it stood alone.
    func once(_ arguments: ArgumentList) {
        guard let session = SessionID(parsing: arguments[1]) else { return replyNoToken(arguments.text(1)) }
        guard let sequence = DecimalInteger.parse(arguments[2]), sequence > 0 else {
            return replyError("ERR the number of a request is an integer from 1")
        }
        let command = arguments.command(at: 3, of: RequestNumber(session: session, sequence: UInt64(sequence)))
        guard let name = PackedName(command[0]), let entry = Command.named(name) else { return replyUnknown(command) }
        guard entry.accepts(argumentCount: command.count) else { return replyWrongArity(entry.command.rawValue) }
        switch (entry.kind, entry.command) {
        case (.read, _), (.local, _), (_, .roostSession), (_, .roostOnce):
            replyError("ERR ROOST.ONCE takes commands that write keys; send '\(entry.command.rawValue)' without it")
        default: executeWrite(entry.command, command)
        }
    }

    private func replyNoToken(_ text: String) {
        replyError("ERR '\(text.prefix(128))' is no session: use the token that ROOST.SESSION OPEN answered")
    }
}

/// What stands before the command of a `ROOST.ONCE`.
struct RequestNumber {
    var session: SessionID
    /// From 1.
    var sequence: UInt64
}
