/// Why the words of an admin command are no request; the text is the error line.
struct AdminSyntaxError: Error, Hashable {
    var message: String
}

extension AdminRequest {
    /// `ROOST.MEMBER LIST | ADD HOST:PORT [ID] [LEARNER] | PROMOTE ID | REMOVE ID | TRANSFER [ID]`
    ///
    /// - Parameter words: those after the command's name, at least one.
    static func member(_ words: [String]) throws(AdminSyntaxError) -> AdminRequest {
        let rest = Array(words.dropFirst())
        switch (words[0].uppercased(), rest.count) {
        case ("LIST", 0): return .listMembers
        case ("ADD", 1...3): return try addition(rest)
        case ("PROMOTE", 1): return .promote(try node(rest[0]))
        case ("REMOVE", 1): return .remove(try node(rest[0]))
        case ("TRANSFER", 0): return .transfer(to: nil)
        case ("TRANSFER", 1): return .transfer(to: try node(rest[0]))
        case ("LIST", _), ("ADD", _), ("PROMOTE", _), ("REMOVE", _), ("TRANSFER", _):
            throw AdminSyntaxError(
                message: "ERR wrong number of arguments for 'roost.member|\(words[0].lowercased())' command")
        default:
            throw AdminSyntaxError(
                message: "ERR unknown subcommand '\(words[0].prefix(128))'. Try LIST, ADD, PROMOTE, REMOVE, TRANSFER.")
        }
    }

    /// `ROOST.DEBUG NET words…` or `ROOST.DEBUG FAILPOINT words…`
    static func debug(_ words: [String]) throws(AdminSyntaxError) -> AdminRequest {
        let rest = Array(words.dropFirst())
        switch (words[0].uppercased(), rest.isEmpty) {
        case ("NET", false): return .debugNetwork(rest)
        case ("FAILPOINT", false): return .debugFailpoint(rest)
        default:
            throw AdminSyntaxError(
                message: "ERR unknown subcommand '\(words[0].prefix(128))'. "
                    + "Try NET CUT|HEAL|DROP|DELAY|DUP, FAILPOINT LIST|SET|OFF.")
        }
    }

    private static func addition(_ words: [String]) throws(AdminSyntaxError) -> AdminRequest {
        var rest = words[1...]
        let staysLearner = rest.last?.uppercased() == "LEARNER"
        if staysLearner { rest = rest.dropLast() }
        guard rest.count <= 1 else { throw AdminSyntaxError(message: "ERR syntax error: ADD HOST:PORT [ID] [LEARNER]") }
        var id: UInt64?
        if let word = rest.first { id = try node(word) }
        return .addMember(peer: words[0], id: id, staysLearner: staysLearner)
    }

    private static func node(_ word: String) throws(AdminSyntaxError) -> UInt64 {
        guard word.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let id = UInt64(word), id > 0 else {
            throw AdminSyntaxError(message: "ERR '\(word.prefix(128))' is no node id: a whole number from 1")
        }
        return id
    }
}
