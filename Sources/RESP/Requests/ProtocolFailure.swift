/// The peer sent something that is no request, or one beyond a limit.
///
/// Scope: the link. Nothing of the request was executed; answer `message` as an error, then close: the stream has lost
/// its framing.
package enum ProtocolFailure: Error, Hashable, Sendable {
    case invalidMultibulkLength
    case invalidBulkLength
    case expectedBulk(got: UInt8)
    case missingBulkEnd
    case unbalancedQuotes
    case inlineTooLong
    case tooManyArguments(count: Int, limit: Int)
    case argumentTooLong(bytes: Int, limit: Int)
    case requestTooLong(bytes: Int, limit: Int)

    /// The error line without the leading `-`, error word first; Redis' own text where Redis has one.
    package var message: String {
        switch self {
        case .invalidMultibulkLength: "ERR Protocol error: invalid multibulk length"
        case .invalidBulkLength: "ERR Protocol error: invalid bulk length"
        case .expectedBulk(let got): "ERR Protocol error: expected '$', got '\(Self.printable(got))'"
        case .missingBulkEnd: "ERR Protocol error: expected CRLF after a bulk string"
        case .unbalancedQuotes: "ERR Protocol error: unbalanced quotes in request"
        case .inlineTooLong: "ERR Protocol error: too big inline request"
        case .tooManyArguments(let count, let limit): "TOOBIG \(count) arguments > max-arguments \(limit)"
        case .argumentTooLong(let bytes, let limit): "TOOBIG value \(bytes) bytes > max-value-bytes \(limit)"
        case .requestTooLong(let bytes, let limit): "TOOBIG request \(bytes) bytes > max-request-bytes \(limit)"
        }
    }

    /// A control or non-ASCII byte would break the error line, or a terminal.
    private static func printable(_ byte: UInt8) -> String {
        if (0x20..<0x7F).contains(byte) { return String(UnicodeScalar(byte)) }
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count == 1 ? "0" : "") + digits
    }
}
