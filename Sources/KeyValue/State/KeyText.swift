package import ByteCoding

/// Keys and values for people: printable characters as they are, all other bytes as `\xNN`.
package enum KeyText {
    /// - Parameter limit: show at most so many bytes, and say how many there are.
    package static func of(_ bytes: UnsafeRawBufferPointer, limit: Int = 64) -> String {
        var text = ""
        for byte in bytes.prefix(limit) {
            switch byte {
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return bytes.count > limit ? "\(text)… (\(bytes.count) bytes)" : text
    }

    /// The same for bytes that own their memory.
    package static func of(_ bytes: Bytes, limit: Int = 64) -> String { bytes.withUnsafeBytes { of($0, limit: limit) } }
}
