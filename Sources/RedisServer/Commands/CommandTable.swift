import RESP

/// A command that the door knows. The raw value is its name as COMMAND lists it.
enum Command: String, CaseIterable, Sendable {
    case append, client, command, config, dbsize, del, echo, exists, flushall, flushdb, get, hello, incr, incrby, info
    case mget, mset, ping, quit, role, select, set, strlen
    case roostStatus = "roost.status"
    case roostSession = "roost.session"
    case roostOnce = "roost.once"
    case roostMember = "roost.member"
    case roostDebug = "roost.debug"

    /// What the door must know of it before it looks at the arguments.
    struct Specification: Sendable {
        /// Arguments with the name; negative: at least that many (Redis' convention).
        var arity: Int
        var kind: Kind
        /// Positions of keys among the arguments (1-based, step), 0: none; `last` -1: to the end.
        var firstKey = 0
        var lastKey = 0
        var step = 0
        var summary: String
    }

    enum Kind: Sendable {
        /// Replicated.
        case write
        /// Answered from the replicated state.
        case read
        /// Of the node or the connection.
        case local
    }

    var specification: Specification {
        switch self {
        case .append: .key(3, .write, "Appends a string to the value of a key. Creates the key if it doesn't exist.")
        case .client: .local(-2, "SETNAME, GETNAME, SETINFO, ID and INFO of this connection.")
        case .command: .local(-1, "Lists the commands: COUNT, DOCS, INFO, LIST.")
        case .config: .local(-2, "GET: settings by pattern.")
        case .dbsize: Specification(arity: 1, kind: .read, summary: "Counts the keys, by a scan of one moment.")
        case .del: .keys(-2, .write, "Deletes keys; answers how many there were.")
        case .echo: .local(2, "Answers its argument.")
        case .exists: .keys(-2, .read, "Counts the given keys that exist.")
        case .flushall: Specification(arity: -1, kind: .write, summary: "Removes all keys.")
        case .flushdb: Specification(arity: -1, kind: .write, summary: "Removes all keys.")
        case .get: .key(2, .read, "Answers the value of a key.")
        case .hello: .local(-1, "Agrees on the protocol version, 2 or 3.")
        case .incr: .key(2, .write, "Adds one to the integer value of a key. Uses 0 as initial value.")
        case .incrby: .key(3, .write, "Adds to the integer value of a key. Uses 0 as initial value.")
        case .info: .local(-1, "Tells about the node, by section.")
        case .mget: .keys(-2, .read, "Answers the values of keys, all at one moment.")
        case .mset:
            Specification(
                arity: -3, kind: .write, firstKey: 1, lastKey: -1, step: 2, summary: "Sets keys, all at one moment.")
        case .ping: .local(-1, "Answers PONG, or its argument.")
        case .quit: .local(-1, "Closes the connection.")
        case .role: .local(1, "Tells who leads.")
        case .select: .local(2, "There is only database 0.")
        case .set: .key(-3, .write, "Sets the value of a key: NX, XX, IFEQ, GET.")
        case .strlen: .key(2, .read, "Answers the length of a value.")
        case .roostStatus: .local(1, "The node's status as JSON.")
        case .roostSession:
            Specification(
                arity: -2, kind: .write, summary: "OPEN, CLOSE: sessions, in which a request can be sent again safely.")
        case .roostOnce:
            Specification(
                arity: -4, kind: .write,
                summary: "Executes a write command once for its number in a session, however often it is sent.")
        case .roostMember: .local(-2, "Members of the cluster: LIST, ADD, PROMOTE, REMOVE, TRANSFER.")
        case .roostDebug:
            .local(-2, "Makes the node fail on purpose, where its configuration allows it: NET, FAILPOINT.")
        }
    }

    /// What the hot path looks up by name.
    struct Entry: Sendable {
        var command: Command
        var arity: Int
        var kind: Kind

        func accepts(argumentCount: Int) -> Bool { arity >= 0 ? argumentCount == arity : argumentCount >= -arity }
    }

    static func named(_ name: PackedName) -> Entry? { byName[name] }

    private static let byName: [PackedName: Entry] = {
        var byName: [PackedName: Entry] = [:]
        for command in allCases {
            var text = command.rawValue
            guard let name = text.withUTF8({ PackedName(UnsafeRawBufferPointer($0)) }) else {
                preconditionFailure("\(text) can't be packed")
            }
            let specification = command.specification
            byName[name] = Entry(command: command, arity: specification.arity, kind: specification.kind)
        }
        return byName
    }()
}

extension Command.Specification {
    fileprivate static func key(_ arity: Int, _ kind: Command.Kind, _ summary: String) -> Self {
        Self(arity: arity, kind: kind, firstKey: 1, lastKey: 1, step: 1, summary: summary)
    }
    fileprivate static func keys(_ arity: Int, _ kind: Command.Kind, _ summary: String) -> Self {
        Self(arity: arity, kind: kind, firstKey: 1, lastKey: -1, step: 1, summary: summary)
    }
    fileprivate static func local(_ arity: Int, _ summary: String) -> Self {
        Self(arity: arity, kind: .local, summary: summary)
    }
}
