package import ByteCoding

/// Names a session: the position of the command that opened it, so it is unique in its group and never used again.
///
/// One token for clients, `812-3`; they keep it and give it back.
package struct SessionID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The entry that opened the session.
    package var index: UInt64
    /// The place (0-based) of the opening command in the entry.
    package var ordinal: UInt32

    package init(index: UInt64, ordinal: UInt32) {
        self.index = index
        self.ordinal = ordinal
    }

    init(openedBy command: Version) { self.init(index: command.index, ordinal: command.ordinal) }

    /// Reads a token; `nil` unless it is exactly what `description` gives for some session.
    package init?(parsing text: UnsafeRawBufferPointer) {
        guard let dash = text.firstIndex(of: UInt8(ascii: "-")),
            let index = Self.number(text[..<dash]).flatMap(UInt64.init(exactly:)),
            let ordinal = Self.number(text[(dash + 1)...]).flatMap(UInt32.init(exactly:))
        else { return nil }
        self.init(index: index, ordinal: ordinal)
    }

    /// Reads what opening a session answered.
    package init?(_ token: Bytes) {
        guard let session = token.withUnsafeBytes(Self.init(parsing:)) else { return nil }
        self = session
    }

    package var description: String { "\(index)-\(ordinal)" }

    /// By the order of opening.
    package static func < (a: Self, b: Self) -> Bool { (a.index, a.ordinal) < (b.index, b.ordinal) }

    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int64? {
        digits.first == UInt8(ascii: "-") ? nil : DecimalInteger.parse(UnsafeRawBufferPointer(rebasing: digits))
    }
}
