import ByteCoding
import KeyValue

/// What the commands mean, said as plainly as possible: a dictionary of strings, one command at a time.
struct NaiveModel {
    var values: [String: String] = [:]

    mutating func apply(_ command: TextCommand) -> Outcome {
        let words = command.words
        switch words[0] {
        case "SET": return set(words)
        case "DEL":
            let existing = Set(words.dropFirst()).filter { values[$0] != nil }
            for key in existing { values[key] = nil }
            return .integer(Int64(existing.count))
        case "APPEND":
            values[words[1], default: ""] += words[2]
            return .integer(Int64(values[words[1]]!.utf8.count))
        case "INCRBY":
            let text = values[words[1]] ?? "0"
            guard let number = Int64(text), String(number) == text else { return .failure(.notAnInteger) }
            let (sum, overflow) = number.addingReportingOverflow(Int64(words[2])!)
            if overflow { return .failure(.overflow) }
            values[words[1]] = String(sum)
            return .integer(sum)
        case "MSET":
            for index in stride(from: 1, to: words.count, by: 2) { values[words[index]] = words[index + 1] }
            return .ok
        case "FLUSHALL":
            values = [:]
            return .ok
        default:
            preconditionFailure("\(command)")
        }
    }

    private mutating func set(_ words: [String]) -> Outcome {
        let old = values[words[1]]
        let holds =
            switch words.dropFirst(3).first {
            case "NX": old == nil
            case "XX": old != nil
            case "IFEQ": old == words[4]
            default: true
            }
        if holds { values[words[1]] = words[2] }
        if words.last == "GET" { return old.map { .value(Bytes($0)) } ?? .null }
        return holds ? .ok : .null
    }
}

/// Random commands over few keys and few values, so that they meet.
struct CommandGenerator {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func next() -> TextCommand {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<40: return set()
        case 40..<55: return TextCommand(["DEL"] + (0..<Int.random(in: 1...3, using: &random)).map { _ in key() })
        case 55..<70: return TextCommand(["APPEND", key(), value()])
        case 70..<88: return TextCommand(["INCRBY", key(), delta()])
        case 88..<98:
            let count = Int.random(in: 1...3, using: &random)
            return TextCommand(["MSET"] + (0..<count).flatMap { _ in [key(), value()] })
        default: return "FLUSHALL"
        }
    }

    mutating func blind() -> TextCommand {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: "FLUSHALL"
        case 1..<4: TextCommand(["MSET", key(), value(), key(), value()])
        default: TextCommand(["SET", key(), value()])
        }
    }

    private mutating func set() -> TextCommand {
        var words = ["SET", key(), value()]
        switch Int.random(in: 0..<6, using: &random) {
        case 0: words += ["NX"]
        case 1: words += ["XX"]
        case 2: words += ["IFEQ", value()]
        default: break
        }
        if Int.random(in: 0..<3, using: &random) == 0 { words += ["GET"] }
        return TextCommand(words)
    }

    private mutating func key() -> String { ["", "a", "b", "c", "ab", "longer-key"].randomElement(using: &random)! }

    private mutating func value() -> String {
        ["", "0", "1", "-7", "x", "01", "9223372036854775807", "a value"].randomElement(using: &random)!
    }

    private mutating func delta() -> String {
        ["1", "-1", "5", "9223372036854775807", "-9223372036854775808"].randomElement(using: &random)!
    }
}
