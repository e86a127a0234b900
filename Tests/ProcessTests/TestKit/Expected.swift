import RESP

/// What a reply must be, in the words of the protocol.
enum Expected: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, CustomStringConvertible, Sendable {
    case exactly(Reply)
    /// An error that starts so.
    case error(startingWith: String)
    case array([Expected])
    case that(String, @Sendable (Reply) -> Bool)

    static let ok = Expected.exactly(.ok)
    static let null = Expected.exactly(.null)
    static func simple(_ text: String) -> Expected { .exactly(.simple(text)) }
    /// The whole text of the error.
    static func error(_ text: String) -> Expected { .exactly(.error(text)) }
    /// A bulk string.
    init(stringLiteral text: String) { self = .exactly(.text(text)) }
    init(integerLiteral value: Int64) { self = .exactly(.integer(value)) }
    static let notAnInteger = error("ERR value is not an integer or out of range")
    static func wrongArity(_ command: String) -> Expected {
        .error("ERR wrong number of arguments for '\(command)' command")
    }

    func matches(_ reply: Reply) -> Bool {
        switch self {
        case .exactly(let expected): reply == expected
        case .error(let start): reply.errorText?.hasPrefix(start) ?? false
        case .that(_, let holds): holds(reply)
        case .array(let expected):
            reply.elements.map { elements in
                elements.count == expected.count && zip(expected, elements).allSatisfy { $0.matches($1) }
            } ?? false
        }
    }

    var description: String {
        switch self {
        case .exactly(let reply): "\(reply)"
        case .error(let start): "an error that starts with \(start)"
        case .that(let words, _): words
        case .array(let elements): "\(elements)"
        }
    }
}
