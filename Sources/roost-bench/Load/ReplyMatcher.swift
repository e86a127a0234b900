/// Finds the replies in the bytes of one connection without keeping them: a reply may come in any number of pieces.
struct ReplyMatcher {
    enum Reply: Equatable {
        case ok
        /// A bulk string: its length, and its first eight bytes as a little-endian number if they came in one piece.
        case value(length: Int, head: UInt64?)
        /// The key does not exist.
        case nothing
        case integer(Int)
        /// The server refused; `errorText` has its words.
        case error
        /// What none of the load's commands may be answered with: another status, an array, no protocol at all.
        case unexpected
    }

    private enum Phase {
        case type
        case line
        case body
    }

    private var phase = Phase.type
    private var type: UInt8 = 0
    private var number = 0
    private var isNegative = false
    private var length = 0
    private var head: UInt64?
    private(set) var errorText: [UInt8] = []

    /// Consumes bytes from `position` on up to the end of one reply.
    ///
    /// - Returns: nil when all bytes are consumed and the reply goes on in the next piece.
    mutating func next(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Reply? {
        while position < bytes.count {
            switch phase {
            case .type:
                if isOK(bytes, position) {
                    position += 5
                    return .ok
                }
                begin(bytes[position])
                position += 1
            case .line:
                let byte = bytes[position]
                position += 1
                if byte != UInt8(ascii: "\n") { take(byte) } else if let reply = endLine() { return reply }
            case .body:
                if let reply = body(bytes, &position) { return reply }
            }
        }
        return nil
    }

    /// `+OK` and its end in one piece, which is what nearly all replies to writes are.
    @inline(__always)
    private func isOK(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        bytes.count - position >= 5
            && bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self) == 0x0D4B_4F2B
            && bytes[position + 4] == 0x0A
    }

    private mutating func begin(_ byte: UInt8) {
        (type, number, isNegative, phase) = (byte, 0, false, .line)
        if byte == UInt8(ascii: "-") { errorText = [] }
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8) {
        switch type {
        case UInt8(ascii: "$"), UInt8(ascii: ":"):
            if byte == UInt8(ascii: "-") {
                isNegative = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                number = number &* 10 &+ Int(byte - UInt8(ascii: "0"))
            }
        case UInt8(ascii: "+"):
            if byte != UInt8(ascii: "\r") { number = number << 8 | Int(byte) }
        case UInt8(ascii: "-"):
            if byte != UInt8(ascii: "\r"), errorText.count < 200 { errorText.append(byte) }
        default: break
        }
    }

    private mutating func endLine() -> Reply? {
        phase = .type
        switch type {
        case UInt8(ascii: "+"): return number == 0x4F4B ? .ok : .unexpected
        case UInt8(ascii: "-"): return .error
        case UInt8(ascii: ":"): return .integer(isNegative ? -number : number)
        case UInt8(ascii: "_"): return .nothing
        case UInt8(ascii: "$"):
            if isNegative { return .nothing }
            (length, number, head, phase) = (number, number + 2, nil, .body)
            return nil
        default: return .unexpected
        }
    }

    private mutating func body(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Reply? {
        let available = bytes.count - position
        if number == length + 2, length >= 8, available >= 8 {
            head = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        }
        let taken = min(number, available)
        position += taken
        number -= taken
        guard number == 0 else { return nil }
        phase = .type
        return .value(length: length, head: head)
    }
}
