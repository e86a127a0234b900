/// The arguments of an inline command with their quotes and escapes taken away; the rules are those of Redis'
/// `sdssplitargs`.
///
/// Owns its memory at a fixed place, because the arguments are handed out as pointers.
struct UnquotedLine: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var count = 0
    /// Whether the last command was an inline one.
    private(set) var isInUse = false

    deinit { memory.deallocate() }

    /// All arguments back to back; valid until the next `split` or `clear`.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[0..<count]) }

    mutating func clear() {
        guard isInUse else { return }
        memory.deallocate()
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        count = 0
        isInUse = false
    }

    /// Appends to `ranges` where in `bytes` each argument of `line` lies.
    mutating func split(
        _ line: UnsafeRawBufferPointer, into ranges: inout [Range<Int>]
    ) throws(ProtocolFailure) {
        clear()
        isInUse = true
        // Taking quotes and escapes away never lengthens a line.
        memory = UnsafeMutableRawBufferPointer.allocate(byteCount: line.count, alignment: 1)
        var position = 0
        while true {
            while position < line.count, Self.isSpace(line[position]) { position += 1 }
            guard position < line.count else { return }
            let first = count
            try argument(of: line, from: &position)
            ranges.append(first..<count)
        }
    }

    /// One argument: bare and quoted pieces up to a space. After a closing quote only a space or the end may follow.
    private mutating func argument(
        of line: UnsafeRawBufferPointer, from position: inout Int
    ) throws(ProtocolFailure) {
        while position < line.count {
            let byte = line[position]
            position += 1
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                return
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                try quoted(by: byte, in: line, from: &position)
                guard position == line.count || Self.isSpace(line[position]) else { throw .unbalancedQuotes }
                return
            default:
                append(byte)
            }
        }
    }

    /// The rest of a quoted piece, its closing quote included.
    private mutating func quoted(
        by quote: UInt8, in line: UnsafeRawBufferPointer, from position: inout Int
    ) throws(ProtocolFailure) {
        while position < line.count {
            let byte = line[position]
            position += 1
            if byte == quote { return }
            guard byte == UInt8(ascii: "\\"), position < line.count else {
                append(byte)
                continue
            }
            if quote == UInt8(ascii: "\"") {
                append(Self.escape(in: line, from: &position))
            } else if line[position] == quote {
                append(quote)
                position += 1
            } else {
                append(byte)
            }
        }
        throw .unbalancedQuotes
    }

    /// What the escape sequence stands for; `position` is behind its backslash.
    private static func escape(
        in line: UnsafeRawBufferPointer, from position: inout Int
    ) -> UInt8 {
        let byte = line[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        case UInt8(ascii: "r"): return UInt8(ascii: "\r")
        case UInt8(ascii: "t"): return UInt8(ascii: "\t")
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "a"): return 0x07
        case UInt8(ascii: "x"):
            guard position + 1 < line.count,
                let high = hexDigit(line[position]), let low = hexDigit(line[position + 1])
            else { return byte }
            position += 2
            return high << 4 | low
        default: return byte
        }
    }

    private mutating func append(_ byte: UInt8) {
        memory[count] = byte
        count += 1
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
