import Linearizability
import RESP

/// A register's calls and replies in the words of Redis.
extension Register.Call {
    /// - Precondition: it compares with a value, not with none.
    func command(_ key: String) -> Command {
        switch self {
        case .get: ["GET", key]
        case .set(let value): ["SET", key, value.text]
        case .delete: ["DEL", key]
        case .append(let suffix): ["APPEND", key, suffix.text]
        case .increment(let delta): ["INCRBY", key, "\(delta)"]
        case .compareAndSet(let expected, let new): ["SET", key, new.text, "IFEQ", expected!.text]
        }
    }

    /// What a node's answer, or that there was none, says about the operation.
    ///
    /// - Returns: `nil` for an answer that this call can't have.
    func outcome(_ answer: Reply?) -> Operation.Outcome? {
        guard let answer else { return .unknown }
        if let reply = reply(answer) { return .replied(reply) }
        return answer.errorWord.flatMap { word in
            if word == ErrorWord.unknownOutcome { return .unknown }
            return ErrorWord.notApplied.contains(word) ? .notApplied : nil
        }
    }

    /// The register's reply; `nil` for an error of the store, and for an answer that this call can't have.
    func reply(_ answer: Reply) -> Register.Reply? {
        switch (self, answer) {
        case (.get, .null): .value(nil)
        case (.get, .bulk(let bytes)): .value(Register.Value(bytes))
        case (.set, .ok): .done
        case (.delete, .integer(let count)) where (0...1).contains(count): .deleted(count == 1)
        case (.append, .integer(let length)): .length(Int(length))
        case (.increment, .integer(let sum)): .number(sum)
        case (.increment, .error("ERR value is not an integer or out of range")): .notAnInteger
        case (.increment, .error("ERR increment or decrement would overflow")): .overflow
        case (.compareAndSet, .ok): .swapped(true)
        case (.compareAndSet, .null): .swapped(false)
        default: nil
        }
    }
}

extension Register.Value {
    /// - Precondition: it is UTF-8, as all that these tests write.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
