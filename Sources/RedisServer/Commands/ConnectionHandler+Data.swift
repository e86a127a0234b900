import ByteCoding
import KeyValue
import RESP

/// Commands on the replicated state.
extension ConnectionHandler {
    // MARK: - Reads

    func executeRead(_ command: Command, _ arguments: ArgumentList) {
        switch command {
        case .get: get(arguments[1])
        case .strlen: awaitRead(.valueLength(Bytes(copying: arguments[1])))
        case .mget: awaitRead(.multiGet(copies(of: arguments)))
        case .exists: awaitRead(.exists(copies(of: arguments)))
        case .dbsize: awaitRead(.countKeys)
        default: preconditionFailure("\(command) is no read")
        }
    }

    private func copies(of arguments: ArgumentList) -> [Bytes] {
        (1..<arguments.count).map { Bytes(copying: arguments[$0]) }
    }

    // MARK: - Writes

    func executeWrite(_ command: Command, _ arguments: ArgumentList) {
        guard isAdmitted(command, arguments) else { return replyError(loop.backend.noSpaceText()) }
        guard loop.waitingWrites.hasRoom else {
            server.metrics.busyWrites.add(1)
            return replyError(server.tooManyWait(loop.waitingWrites))
        }
        switch command {
        case .set: set(arguments)
        case .del:
            guard acceptsKeys(arguments, 1..<arguments.count) else { return }
            write(arguments) { $0.delete(count: arguments.count - 1) { arguments[$0 + 1] } }
        case .append:
            guard acceptsKeys(arguments, 1..<2) else { return }
            write(arguments) { $0.append(key: arguments[1], suffix: arguments[2]) }
        case .incr:
            guard acceptsKeys(arguments, 1..<2) else { return }
            write(arguments) { $0.increment(key: arguments[1], by: 1) }
        case .incrby:
            guard acceptsKeys(arguments, 1..<2) else { return }
            guard let delta = DecimalInteger.parse(arguments[2]) else {
                return replyError("ERR value is not an integer or out of range")
            }
            write(arguments) { $0.increment(key: arguments[1], by: delta) }
        case .mset: multiSet(arguments)
        case .flushall, .flushdb: flushAll(command, arguments)
        case .roostSession: session(arguments)
        case .roostOnce: once(arguments)
        default: preconditionFailure("\(command) is no write")
        }
    }

    /// Whether there is room for what the command does.
    private func isAdmitted(_ command: Command, _ arguments: ArgumentList) -> Bool {
        switch loop.backend.admission {
        case .all: true
        case .freeing: frees(command, arguments)
        case .none: false
        }
    }

    private func frees(_ command: Command, _ arguments: ArgumentList) -> Bool {
        switch command {
        case .del, .flushall, .flushdb: true
        case .roostSession: arguments.text(1).uppercased() == "CLOSE"
        // The command inside is asked for itself.
        case .roostOnce: true
        default: false
        }
    }

    private func multiSet(_ arguments: ArgumentList) {
        guard arguments.count % 2 == 1 else { return replyWrongArity("mset") }
        let pairs = (arguments.count - 1) / 2
        for pair in 0..<pairs {
            guard acceptsKeys(arguments, 1 + 2 * pair..<2 + 2 * pair) else { return }
        }
        write(arguments) { $0.multiSet(count: pairs) { (arguments[1 + 2 * $0], arguments[2 + 2 * $0]) } }
    }

    /// `FLUSHALL [ASYNC|SYNC]`: one range deletion either way.
    private func flushAll(_ command: Command, _ arguments: ArgumentList) {
        guard arguments.count <= 2 else { return replyWrongArity(command.rawValue) }
        if arguments.count == 2, !["ASYNC", "SYNC"].contains(arguments.text(1).uppercased()) {
            return replyError("ERR syntax error")
        }
        write(arguments) { $0.flushAll() }
    }

    /// `SET key value [NX | XX | IFEQ old] [GET]`.
    private func set(_ arguments: ArgumentList) {
        guard acceptsKeys(arguments, 1..<2) else { return }
        if arguments.count == 3 {
            write(arguments) { $0.set(key: arguments[1], value: arguments[2], condition: .none, returnOld: false) }
            return
        }
        switch SetOptions.parse(arguments) {
        case .failure(let refusal): replyError(refusal.message)
        case .success(let options):
            let encode: (inout SegmentWriter) -> Void = {
                $0.set(
                    key: arguments[1], value: arguments[2], condition: options.condition(arguments),
                    returnOld: options.returnsOld)
            }
            if options.returnsOld { writeAlone(arguments, encode) } else { write(arguments, encode) }
        }
    }

    private func acceptsKeys(_ arguments: ArgumentList, _ positions: Range<Int>) -> Bool {
        for position in positions where arguments[position].count > server.limits.maxKeyBytes {
            replyError("TOOBIG key \(arguments[position].count) bytes > max-key-bytes \(server.limits.maxKeyBytes)")
            return false
        }
        return true
    }
}

/// What stands behind the value of a SET.
private struct SetOptions {
    enum Condition {
        case none, ifAbsent, ifPresent
        /// The position of the value to compare with.
        case ifEqual(argument: Int)
    }

    struct Refusal: Error {
        var message: String
        static let syntax = Refusal(message: "ERR syntax error")
    }

    var condition = Condition.none
    var returnsOld = false

    static func parse(_ arguments: ConnectionHandler.ArgumentList) -> Result<SetOptions, Refusal> {
        var options = SetOptions()
        var position = 3
        while position < arguments.count {
            switch arguments.text(position).uppercased() {
            case "GET": options.returnsOld = true
            case "NX":
                guard options.setCondition(.ifAbsent) else { return .failure(.syntax) }
            case "XX":
                guard options.setCondition(.ifPresent) else { return .failure(.syntax) }
            case "IFEQ":
                position += 1
                guard position < arguments.count, options.setCondition(.ifEqual(argument: position)) else {
                    return .failure(.syntax)
                }
            case "EX", "PX", "EXAT", "PXAT", "KEEPTTL":
                return .failure(
                    Refusal(message: "ERR keys do not expire in this version: SET takes NX, XX, IFEQ and GET"))
            default: return .failure(.syntax)
            }
            position += 1
        }
        return .success(options)
    }

    private mutating func setCondition(_ new: Condition) -> Bool {
        guard case .none = condition else { return false }
        condition = new
        return true
    }

    func condition(_ arguments: ConnectionHandler.ArgumentList) -> SetCondition {
        switch condition {
        case .none: .none
        case .ifAbsent: .ifAbsent
        case .ifPresent: .ifPresent
        case .ifEqual(let argument): .ifEqual(arguments[argument])
        }
    }
}
