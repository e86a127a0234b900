/// The phrases that sentences about a history are made of.
struct Words {
    /// Values longer than this are cut: a sentence has to stay one.
    private static let longestValue = 40

    private let unit: TimeUnit

    init(_ operations: [Operation]) {
        unit = TimeUnit(fitting: operations.map(\.returned).max() ?? 0)
    }

    func moment(_ time: UInt64) -> String { TimeText.moment(time, unit) }

    func interval(_ operation: Operation) -> String {
        "\(TimeText.decimal(operation.invoked, unit)) to \(moment(operation.returned))"
    }

    func value(_ value: Register.Value?) -> String {
        Self.shortened(Register.text(value))
    }

    func reply(_ reply: Register.Reply) -> String {
        if case .value(let found) = reply { return value(found) }
        return reply.description
    }

    /// `set 5 of client 2`
    func naming(_ operation: Operation, isStart: Bool = false) -> String {
        let text = Self.shortened(operation.description)
        return "\(isStart ? text.prefix(1).uppercased() + text.dropFirst() : text) of client \(operation.client)"
    }

    /// `a, b and c`
    func list(_ items: [String]) -> String {
        guard items.count > 1, let last = items.last else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    func noun(_ operation: Operation) -> String {
        switch operation.call {
        case .get: "read"
        case .set: "set"
        case .delete: "delete"
        case .append: "append"
        case .increment: "increment"
        case .compareAndSet: "compare-and-set"
        }
    }

    /// What the reply of an operation says that it found, as a main clause.
    func claim(_ operation: Operation) -> String {
        let subject = "Client \(operation.client)'s \(noun(operation))"
        switch Finding(operation) {
        case .oneOf(let values):
            let found = values.map(value).joined(separator: " or ")
            switch operation.reply {
            case .value: return "Client \(operation.client) read \(found)"
            case .number(let sum): return "\(subject) answered \(sum), so it found \(found)"
            default: return "\(subject) found \(found)"
            }
        case .other:
            return "\(subject) answered \(operation.reply.map(reply) ?? "nothing")"
        }
    }

    /// Values differ at their beginning or their end: both stay, and what only repeats goes first.
    static func shortened(_ text: String, to count: Int = longestValue) -> String {
        guard text.count > count else { return text }
        let folded = folded(text)
        guard folded.count > count else { return folded }
        return folded.prefix(count / 2) + "…" + folded.suffix(count - count / 2 - 1)
    }

    /// Of more than three equal characters in a row one stays.
    private static func folded(_ text: String) -> String {
        var folded = ""
        var rest = Substring(text)
        while let first = rest.first {
            let run = rest.prefix { $0 == first }
            folded += run.count > 3 ? "\(first)…" : String(run)
            rest = rest.dropFirst(run.count)
        }
        return folded
    }
}
