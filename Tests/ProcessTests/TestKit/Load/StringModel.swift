import RESP

/// What Redis' string commands do to a store that one client alone uses.
struct StringModel {
    private var values: [String: String] = [:]

    mutating func run(_ command: Command) -> Reply {
        let key = command[1]
        let old = values[key]
        switch command[0] {
        case "SET" where command.last == "NX":
            if old == nil { values[key] = command[2] }
            return old == nil ? .ok : .null
        case "SET" where command.count == 5:
            if old == command[4] { values[key] = command[2] }
            return old == command[4] ? .ok : .null
        case "SET":
            values[key] = command[2]
            return .ok
        case "GET": return old.map(Reply.text) ?? .null
        case "APPEND":
            values[key, default: ""] += command[2]
            return .integer(Int64(values[key]!.utf8.count))
        case "INCRBY":
            guard let number = Int64(old ?? "0"), "\(number)" == old ?? "0" else {
                return .error("ERR value is not an integer or out of range")
            }
            let (sum, overflow) = number.addingReportingOverflow(Int64(command[2])!)
            if overflow { return .error("ERR increment or decrement would overflow") }
            values[key] = "\(sum)"
            return .integer(sum)
        case "DEL": return .integer(Int64(command.dropFirst().count { values.removeValue(forKey: $0) != nil }))
        case "EXISTS": return .integer(Int64(command.dropFirst().count { values[$0] != nil }))
        case "STRLEN": return .integer(Int64(old?.utf8.count ?? 0))
        case "MGET": return .array(command.dropFirst().map { values[$0].map(Reply.text) ?? .null })
        case "MSET":
            for index in stride(from: 1, to: command.count, by: 2) { values[command[index]] = command[index + 1] }
            return .ok
        default: preconditionFailure("no model of \(command[0])")
        }
    }

    static func randomCommand(prefix: String, _ random: inout SplitMix64) -> Command {
        func key() -> String { "\(prefix)-\(Int.random(in: 0..<12, using: &random))" }
        func number() -> String { "\(Int.random(in: 0..<100, using: &random))" }
        return switch Int.random(in: 0..<16, using: &random) {
        case 0...3: ["GET", key()]
        case 4...6: ["SET", key(), number()]
        case 7: ["SET", key(), number(), "NX"]
        case 8: ["SET", key(), number(), "IFEQ", number()]
        case 9: ["APPEND", key(), number()]
        case 10...11: ["INCRBY", key(), number()]
        case 12: ["DEL", key(), key()]
        case 13: ["MGET", key(), key(), key()]
        case 14: ["MSET", key(), number(), key(), number()]
        default: Bool.random(using: &random) ? ["STRLEN", key()] : ["EXISTS", key(), key()]
        }
    }
}
