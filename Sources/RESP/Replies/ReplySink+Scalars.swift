extension ReplySink {
    /// `+text\r\n`.
    ///
    /// - Precondition: the text holds neither CR nor LF.
    @inlinable package mutating func writeSimple(_ text: StaticString) {
        write(UInt8(ascii: "+"))
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        writeLineEnd()
    }

    /// `+OK\r\n`, in one piece.
    @inlinable package mutating func writeOK() {
        let line: StaticString = "+OK\r\n"
        write(UnsafeRawBufferPointer(start: line.utf8Start, count: line.utf8CodeUnitCount))
    }

    /// `+text\r\n`, with a space in place of each CR and LF, so that no text can forge a second reply.
    @inlinable package mutating func writeSimple(_ text: String) { writeLine(UInt8(ascii: "+"), text) }

    /// `-message\r\n`, error word first; with a space in place of each CR and LF.
    @inlinable package mutating func writeError(_ message: String) { writeLine(UInt8(ascii: "-"), message) }

    /// `:value\r\n`.
    @inlinable package mutating func writeInteger(_ value: some FixedWidthInteger) {
        writeNumber(UInt8(ascii: ":"), Int64(value))
    }

    /// `$count\r\n…\r\n`.
    @inlinable package mutating func writeBulk(_ bytes: UnsafeRawBufferPointer) {
        writeNumber(UInt8(ascii: "$"), Int64(bytes.count))
        write(bytes)
        writeLineEnd()
    }

    /// The text's UTF-8 form as a bulk string.
    @inlinable package mutating func writeBulk(_ text: String) {
        var text = text
        text.withUTF8 { writeBulk(UnsafeRawBufferPointer($0)) }
    }

    /// No value: `$-1\r\n`, in RESP3 `_\r\n`.
    @inlinable package mutating func writeNull(_ version: RESPVersion) {
        switch version {
        case .resp2: writeNumber(UInt8(ascii: "$"), -1)
        case .resp3:
            write(UInt8(ascii: "_"))
            writeLineEnd()
        }
    }

    /// `:1\r\n` or `:0\r\n`, in RESP3 `#t\r\n` or `#f\r\n`.
    @inlinable package mutating func writeBoolean(_ value: Bool, _ version: RESPVersion) {
        switch version {
        case .resp2: writeInteger(value ? 1 : 0)
        case .resp3:
            write(UInt8(ascii: "#"))
            write(value ? UInt8(ascii: "t") : UInt8(ascii: "f"))
            writeLineEnd()
        }
    }

    /// The shortest decimal form that reads back as the same value, or `inf`, `-inf`, `nan`: a bulk string, in RESP3 `,`.
    @inlinable package mutating func writeDouble(_ value: Double, _ version: RESPVersion) {
        let text = doubleText(value)
        switch version {
        case .resp2: writeBulk(text)
        case .resp3: writeLine(UInt8(ascii: ","), text)
        }
    }

    /// Text for a human: a bulk string, in RESP3 `=count\r\ntxt:…\r\n`.
    ///
    /// - Precondition: `format` is three ASCII letters, e.g. `txt` or `mkd`.
    @inlinable package mutating func writeVerbatim(_ text: String, format: StaticString = "txt", _ version: RESPVersion)
    {
        precondition(format.utf8CodeUnitCount == 3, "a verbatim string's format is three letters, not \(format)")
        guard version == .resp3 else { return writeBulk(text) }
        writeNumber(UInt8(ascii: "="), Int64(text.utf8.count + 4))
        write(UnsafeRawBufferPointer(start: format.utf8Start, count: 3))
        write(UInt8(ascii: ":"))
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
        writeLineEnd()
    }

    @inlinable package mutating func writeLineEnd() {
        write(UInt8(ascii: "\r"))
        write(UInt8(ascii: "\n"))
    }

    @inlinable mutating func writeLine(_ type: UInt8, _ text: String) {
        write(type)
        for byte in text.utf8 {
            write(byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") ? UInt8(ascii: " ") : byte)
        }
        writeLineEnd()
    }

    /// A type byte, a decimal number and CRLF, put together on the stack and written in one piece.
    @inlinable mutating func writeNumber(_ type: UInt8, _ value: Int64) {
        withUnsafeTemporaryAllocation(byteCount: 24, alignment: 1) { line in
            line[22] = UInt8(ascii: "\r")
            line[23] = UInt8(ascii: "\n")
            var start = 22
            var rest = value.magnitude
            repeat {
                start -= 1
                line[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 {
                start -= 1
                line[start] = UInt8(ascii: "-")
            }
            start -= 1
            line[start] = type
            write(UnsafeRawBufferPointer(rebasing: line[start...]))
        }
    }
}

/// A whole number without the `.0` that Swift prints, as Redis writes it.
@usableFromInline
func doubleText(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
