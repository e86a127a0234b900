/// One reply as a client sees it; every type of RESP2 and RESP3.
package enum Reply: Hashable, Sendable {
    case simple(String)
    /// The error word first, e.g. `LOADING no leader`.
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    /// RESP2's null bulk string and null array, and RESP3's null.
    case null
    case array([Reply])
    case boolean(Bool)
    case double(Double)
    /// Decimal digits, with a minus sign if negative.
    case bigNumber(String)
    /// `format` is three letters, e.g. `txt`.
    case verbatim(format: String, [UInt8])
    /// In the order sent: a server may repeat a key.
    case map([Pair])
    case set([Reply])
    /// Sent without being asked for; no answer to a command.
    case push([Reply])

    package struct Pair: Hashable, Sendable {
        package var key: Reply
        package var value: Reply
        package init(_ key: Reply, _ value: Reply) {
            self.key = key
            self.value = value
        }
    }
}

extension Reply {
    /// The text of a string of any kind; `nil` for the other types. Bytes that are no UTF-8 become U+FFFD.
    package var text: String? {
        switch self {
        case .simple(let text), .error(let text), .bigNumber(let text): text
        case .bulk(let bytes), .verbatim(_, let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer, .null, .array, .boolean, .double, .map, .set, .push: nil
        }
    }

    /// The first word of an error, which says what a client may do next; `nil` if this is no error.
    package var errorWord: Substring? {
        guard case .error(let message) = self else { return nil }
        return message.prefix { $0 != " " }
    }
}
