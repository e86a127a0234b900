import RESP

/// One command and the one reply it must get, from whatever node.
struct CommandRow: Sendable {
    let command: Command
    let expected: Expected
    /// What the same command must get under RESP3, where that differs.
    let expected3: Expected
    /// Redis 7 gives the same answer, so the row can be tried on a real one.
    let asRedis: Bool

    init(_ command: String, _ expected: Expected, resp3: Expected? = nil, asRedis: Bool = true) {
        // No row needs a space inside an argument.
        self.command = command.split(separator: " ").map { $0 == "''" ? "" : String($0) }
        self.expected = expected
        expected3 = resp3 ?? expected
        self.asRedis = asRedis
    }
}

/// Commands run in this order on an empty store, on one connection.
enum CommandTable {
    static let rows: [CommandRow] = connection + strings + counters + keys + refusals + last

    private static let connection: [CommandRow] = [
        CommandRow("PING", .simple("PONG")),
        CommandRow("ping", .simple("PONG")),
        CommandRow("PING hello", "hello"),
        CommandRow("ECHO hello", "hello"),
        CommandRow("SELECT 0", .ok),
        CommandRow("SELECT 1", .error(startingWith: "ERR "), asRedis: false),
        CommandRow("SELECT x", .error(startingWith: "ERR ")),
        CommandRow("CLIENT SETNAME roost-test", .ok),
        CommandRow("CLIENT GETNAME", "roost-test"),
        CommandRow("CLIENT SETINFO LIB-NAME x", .ok, asRedis: false),
        CommandRow("CLIENT SETINFO LIB-VER 1", .ok, asRedis: false),
        CommandRow("CLIENT ID", .that("a positive id") { ($0.integer ?? 0) > 0 }),
        CommandRow(
            "CLIENT INFO", text("id=", "addr=127.0.0.1:", "name=roost-test"),
            resp3: text("id=", "addr=127.0.0.1:", "name=roost-test")),
        CommandRow("COMMAND COUNT", .that("23 or more") { ($0.integer ?? 0) >= 23 }),
        CommandRow("COMMAND INFO get", .that("get of arity 2 with key position 1", describesGet)),
        CommandRow("COMMAND INFO nosuch", .array([.null])),
        CommandRow("COMMAND DOCS get", map("get")),
        CommandRow("CONFIG GET save", map("save")),
        CommandRow("CONFIG GET appendonly", map("appendonly")),
        CommandRow("CONFIG GET nosuch", .that("nothing") { $0.fields?.isEmpty ?? false }),
        CommandRow("INFO", text("redis_version:", "role:"), asRedis: true),
        CommandRow("INFO replication", text("role:")),
    ]

    private static let strings: [CommandRow] = [
        CommandRow("FLUSHALL", .ok),
        CommandRow("DBSIZE", 0),
        CommandRow("GET a", .null),
        CommandRow("SET a 1", .ok),
        CommandRow("GET a", "1"),
        CommandRow("set A upper", .ok),
        CommandRow("get A", "upper"),
        CommandRow("GET a", "1"),
        CommandRow("SET a 2 NX", .null),
        CommandRow("SET a 2 XX", .ok),
        CommandRow("SET b 1 XX", .null),
        CommandRow("SET b 1 NX", .ok),
        CommandRow("SET b 2 GET", "1"),
        CommandRow("SET c 1 GET", .null),
        CommandRow("SET c 2 NX GET", "1"),
        CommandRow("GET c", "1"),
        CommandRow("SET c 3 xx get", "1"),
        CommandRow("SET a 3 IFEQ 2", .ok, asRedis: false),
        CommandRow("SET a 4 IFEQ 2", .null, asRedis: false),
        CommandRow("SET absent 4 IFEQ 2", .null, asRedis: false),
        CommandRow("EXISTS absent", 0),
        CommandRow("SET empty ''", .ok),
        CommandRow("GET empty", ""),
        CommandRow("STRLEN empty", 0),
        CommandRow("APPEND d foo", 3),
        CommandRow("APPEND d bar", 6),
        CommandRow("GET d", "foobar"),
        CommandRow("STRLEN d", 6),
        CommandRow("STRLEN absent", 0),
        CommandRow("MSET x 1 y 2 z 3", .ok),
        CommandRow("MGET x y absent z", .array(["1", "2", .null, "3"])),
        CommandRow("MSET x 1 x 9", .ok),
        CommandRow("GET x", "9"),
    ]

    private static let counters: [CommandRow] = [
        CommandRow("INCR n", 1),
        CommandRow("INCR n", 2),
        CommandRow("INCRBY n 40", 42),
        CommandRow("INCRBY n -50", -8),
        CommandRow("GET n", "-8"),
        CommandRow("INCR d", .notAnInteger),
        CommandRow("GET d", "foobar"),
        CommandRow("INCRBY n many", .notAnInteger),
        CommandRow("INCRBY n 9223372036854775808", .notAnInteger),
        CommandRow("SET big 9223372036854775807", .ok),
        CommandRow("INCR big", .error("ERR increment or decrement would overflow")),
        CommandRow("GET big", "9223372036854775807"),
        CommandRow("SET padded 01", .ok),
        CommandRow("INCR padded", .notAnInteger),
    ]

    private static let keys: [CommandRow] = [
        CommandRow("EXISTS a a absent x", 3),
        CommandRow("DEL a a absent", 1),
        CommandRow("EXISTS a", 0),
        CommandRow("DEL absent", 0),
        CommandRow("DEL x y z", 3),
        CommandRow("MGET x y z", .array([.null, .null, .null])),
        CommandRow("FLUSHALL", .ok),
        CommandRow("DBSIZE", 0),
        CommandRow("MSET p 1 q 2 r 3", .ok),
        CommandRow("DBSIZE", 3),
        CommandRow("DEL q", 1),
        CommandRow("DBSIZE", 2),
        CommandRow("FLUSHALL ASYNC", .ok),
        CommandRow("GET p", .null),
        CommandRow("DBSIZE", 0),
    ]

    private static let refusals: [CommandRow] = [
        CommandRow("GET", .wrongArity("get")),
        CommandRow("GET a b", .wrongArity("get")),
        CommandRow("SET a", .wrongArity("set")),
        CommandRow("SET a b BOGUS", .error("ERR syntax error")),
        CommandRow("SET a b NX XX", .error("ERR syntax error")),
        CommandRow("MSET a", .wrongArity("mset")),
        CommandRow("MSET a b c", .wrongArity("mset")),
        CommandRow("MGET", .wrongArity("mget")),
        CommandRow("DEL", .wrongArity("del")),
        CommandRow("EXISTS", .wrongArity("exists")),
        CommandRow("INCR", .wrongArity("incr")),
        CommandRow("INCRBY a", .wrongArity("incrby")),
        CommandRow("APPEND a", .wrongArity("append")),
        CommandRow("STRLEN", .wrongArity("strlen")),
        CommandRow("ECHO", .wrongArity("echo")),
        CommandRow("PING a b", .wrongArity("ping")),
        CommandRow("DBSIZE x", .wrongArity("dbsize")),
        CommandRow(
            "NOSUCH a b", .error(startingWith: "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b'")),
        CommandRow("CLIENT NOSUCH", .error(startingWith: "ERR unknown subcommand 'NOSUCH'")),
        CommandRow("CONFIG NOSUCH", .error(startingWith: "ERR ")),
        CommandRow("COMMAND NOSUCH", .error(startingWith: "ERR unknown subcommand 'NOSUCH'")),
        CommandRow("HELLO 4", .error(startingWith: "NOPROTO ")),
        // Not there yet, so refused, and without effect.
        CommandRow("SET a b EX 10", .error(startingWith: "ERR "), asRedis: false),
        CommandRow("SET a b PX 10", .error(startingWith: "ERR "), asRedis: false),
        // None of the refused commands left anything.
        CommandRow("EXISTS a", 0),
    ]

    private static let last: [CommandRow] = [
        CommandRow("QUIT", .ok)
    ]

    private static func text(_ parts: String...) -> Expected {
        .that("a text with \(parts)") { reply in
            guard let text = reply.text else { return false }
            return parts.allSatisfy(text.contains)
        }
    }

    private static func map(_ key: String) -> Expected {
        .that("a map with the one key \(key)") { reply in reply.fields.map { Array($0.keys) == [key] } ?? false }
    }

    @Sendable private static func describesGet(_ reply: Reply) -> Bool {
        guard let row = reply.elements?.first?.elements, row.count >= 6 else { return false }
        return row[0].text == "get" && row[1] == .integer(2) && row[3...5].map(\.integer) == [1, 1, 1]
    }
}
