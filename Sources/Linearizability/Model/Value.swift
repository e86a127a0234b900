extension Register {
    /// The bytes of a key that exists.
    public struct Value: Hashable, Sendable {
        public var bytes: [UInt8]

        public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
        public init(_ text: String) { bytes = Array(text.utf8) }
        /// The decimal digits, as INCR writes them.
        public init(_ number: Int64) { self.init(String(number)) }

        /// The number that INCR would find, by Redis' rules: every number has one form, so no plus sign, no space, no
        /// leading zero and no `-0`.
        public var integer: Int64? {
            // The longest Int64 has 20 characters; of a longer value nothing needs to be parsed.
            guard bytes.count <= 20, let number = Int64(String(decoding: bytes, as: UTF8.self)) else { return nil }
            return Value(number) == self ? number : nil
        }
    }
}

extension Register.Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral text: String) { self.init(text) }
    public init(integerLiteral number: Int64) { self.init(number) }
}

extension Register.Value: CustomStringConvertible {
    /// Text as it is; quoted if it could be taken for something else (empty, blanks, the word `nil`), and with `\xNN`
    /// for what cannot be printed.
    public var description: String {
        let isPlain = !bytes.isEmpty && bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") }
        let plain = String(decoding: bytes, as: UTF8.self)
        if isPlain, plain != "nil" { return plain }
        return "\"" + bytes.map(Self.escaped).joined() + "\""
    }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return "\\" + String(UnicodeScalar(byte))
        case 0x20...0x7E: return String(UnicodeScalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            return "\\x" + (digits.count < 2 ? "0" : "") + digits
        }
    }
}
