/// Lets keys and values begin with a dash (`roostctl set temperature -5`).
enum VerbArguments {
    private static let keyVerbs: Set = ["set", "get", "delete", "append", "incr"]

    /// The arguments with `--` after a verb that takes a key: options stand before the verb, so nothing behind it is
    /// one, except a question for help.
    static func protected(_ arguments: [String]) -> [String] {
        guard let verb = verbIndex(arguments), keyVerbs.contains(arguments[verb]) else { return arguments }
        let rest = arguments[(verb + 1)...]
        if let first = rest.first, rest.count == 1, ["-h", "--help", "-help"].contains(first) { return arguments }
        return rest.contains("--") ? arguments : arguments[...verb] + ["--"] + rest
    }

    private static func verbIndex(_ arguments: [String]) -> Int? {
        var index = 0
        while index < arguments.count, arguments[index].hasPrefix("-") {
            // An option and its value are one argument (`--nodes=…`) or two.
            index += arguments[index].contains("=") ? 1 : 2
        }
        return index < arguments.count ? index : nil
    }
}
