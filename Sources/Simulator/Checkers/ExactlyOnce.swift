import ByteCoding
import KeyValue

/// I9: a request of a session takes effect once, and every answer to it is the same.
///
/// Appended tokens are unique, so a value that holds one twice shows an effect that came twice.
struct ExactlyOnce {
    private struct Name: Hashable {
        var session: SessionID
        var sequence: UInt64
    }

    private var answers: [Name: Outcome] = [:]

    mutating func answered(
        _ session: SessionID, _ sequence: UInt64, _ outcome: Outcome
    ) throws(Violation) {
        let name = Name(session: session, sequence: sequence)
        if let known = answers[name], known != outcome {
            throw Violation(
                .exactlyOnce, "request \(sequence) of session \(session) was answered \(known), then \(outcome)")
        }
        answers[name] = outcome
    }

    /// - Parameter value: what a read has found; tokens end with a semicolon.
    static func check(_ value: Bytes, of key: Bytes) throws(Violation) {
        var tokens = Set<ArraySlice<UInt8>>()
        for token in value.array.split(separator: UInt8(ascii: ";")) where token.first == UInt8(ascii: "+") {
            if !tokens.insert(token).inserted {
                throw Violation(.exactlyOnce, "\(String(decoding: token, as: UTF8.self)) stands twice in \(key.text)")
            }
        }
    }
}
