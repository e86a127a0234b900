import RaftStorage

/// The words after `ROOST.DEBUG FAILPOINT`:
///
/// ```
/// LIST                                       every place, and what is ordered there
/// SET SITE crash|error|lose|alter [after N]  from the pass after the first N on
/// SET SITE pause TIME [after N]
/// OFF SITE|ALL
/// ```
struct FailpointWords {
    /// Why the words are no order. One sentence.
    struct Refusal: Error, Hashable {
        var sentence: String
    }

    enum Request: Hashable {
        case list
        case set(FailpointOrder)
        /// Nil: all.
        case off(Failpoint?)
    }

    let request: Request

    init(_ words: [String]) throws(Refusal) {
        let rest = Array(words.dropFirst())
        switch (words.first?.uppercased(), rest.count) {
        case ("LIST", 0): request = .list
        case ("SET", 2...): request = .set(try Self.order(rest))
        case ("OFF", 1): request = .off(rest[0].uppercased() == "ALL" ? nil : try Self.place(rest[0]))
        default:
            throw Refusal(
                sentence: "expected LIST, SET SITE crash|error|lose|alter|pause TIME [after N], or OFF SITE|ALL")
        }
    }

    /// `SITE ACTION [TIME] [after N]`
    static func order(_ words: [String]) throws(Refusal) -> FailpointOrder {
        guard words.count >= 2 else { throw Refusal(sentence: "expected SITE ACTION [after N]") }
        let place = try place(words[0])
        var rest = words[1...]
        let action = try action(&rest)
        var after: UInt64 = 0
        if rest.count == 2, rest.first?.lowercased() == "after", let count = SettingText.wholeNumber(rest.last ?? "") {
            after = UInt64(count)
            rest = []
        }
        guard rest.isEmpty else { throw Refusal(sentence: "'\(rest.joined(separator: " "))' is not 'after N'") }
        guard action != .error || place.mayFail else { throw Refusal(sentence: "\(place.name) has no error to give") }
        guard action != .lose || place.mayLose else { throw Refusal(sentence: "\(place.name) has nothing to lose") }
        guard action != .alter || place.mayAlter else { throw Refusal(sentence: "\(place.name) has nothing to alter") }
        return FailpointOrder(place, action, after: after)
    }

    /// The order as it is given.
    static func text(_ order: FailpointOrder) -> String {
        let action =
            switch order.action {
            case .crash: "crash"
            case .error: "error"
            case .lose: "lose"
            case .alter: "alter"
            case .pause(let duration): "pause \(DurationText.text(duration))"
            }
        return "\(order.place.name) \(action)" + (order.after > 0 ? " after \(order.after)" : "")
    }

    private static func place(_ word: String) throws(Refusal) -> Failpoint {
        guard let place = Failpoint(name: word.lowercased()) else {
            throw Refusal(sentence: "there is no failpoint '\(word.prefix(64))'; ROOST.DEBUG FAILPOINT LIST names all")
        }
        return place
    }

    private static func action(_ rest: inout ArraySlice<String>) throws(Refusal) -> FailpointAction {
        let word = rest.popFirst() ?? ""
        switch word.lowercased() {
        case "crash": return .crash
        case "error": return .error
        case "lose": return .lose
        case "alter": return .alter
        case "pause":
            guard let duration = rest.popFirst().flatMap(DurationText.parse) else {
                throw Refusal(sentence: "pause wants a time such as 50ms")
            }
            return .pause(duration)
        default: throw Refusal(sentence: "'\(word.prefix(64))' is not crash, error, lose, alter or pause")
        }
    }
}
