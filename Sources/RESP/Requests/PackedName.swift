/// A command's name or option word in two registers, letters in upper case: equality, hashing and a `switch` cost no
/// allocation and no loop over the name's bytes.
///
/// Zero bytes fill up to 16; a name that holds one is not packed, so that two names never share a packed form.
package struct PackedName: Hashable, Sendable {
    /// The longest name that fits, in bytes.
    package static let maxBytes = 16

    private let low: UInt64
    private let high: UInt64

    /// `nil` for an empty name, one that is longer than `maxBytes`, or one with a zero byte: no command of ours.
    package init?(_ name: UnsafeRawBufferPointer) {
        guard (1...Self.maxBytes).contains(name.count) else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in name.enumerated() {
            if byte == 0 { return nil }
            let isLowerCase = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            let shifted = UInt64(isLowerCase ? byte & ~0x20 : byte) << (UInt64(index & 7) * 8)
            if index < 8 { words.0 |= shifted } else { words.1 |= shifted }
        }
        (low, high) = words
    }

    /// For names written in the source.
    ///
    /// - Precondition: the name can be packed.
    package init(_ name: StaticString) {
        let packed = PackedName(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        guard let packed else { preconditionFailure("\(name) is empty or longer than \(Self.maxBytes) bytes") }
        self = packed
    }

    package static func ~= (pattern: PackedName, value: PackedName) -> Bool { pattern == value }
}

extension PackedName: CustomStringConvertible {
    package var description: String {
        let bytes = (0..<Self.maxBytes).map { UInt8(truncatingIfNeeded: ($0 < 8 ? low : high) >> (UInt64($0 & 7) * 8)) }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
