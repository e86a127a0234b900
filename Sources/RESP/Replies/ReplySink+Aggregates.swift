/// Headers: the elements follow, each written with its own call.
extension ReplySink {
    /// `*count\r\n`, then `count` replies.
    @inlinable package mutating func writeArrayHeader(_ count: Int) { writeNumber(UInt8(ascii: "*"), Int64(count)) }

    /// `%count\r\n`, in RESP2 an array of twice the length; then `count` times a key and a value.
    @inlinable package mutating func writeMapHeader(_ count: Int, _ version: RESPVersion) {
        switch version {
        case .resp2: writeArrayHeader(count * 2)
        case .resp3: writeNumber(UInt8(ascii: "%"), Int64(count))
        }
    }

    /// `~count\r\n`, in RESP2 an array; then `count` replies.
    @inlinable package mutating func writeSetHeader(_ count: Int, _ version: RESPVersion) {
        switch version {
        case .resp2: writeArrayHeader(count)
        case .resp3: writeNumber(UInt8(ascii: "~"), Int64(count))
        }
    }

    /// `>count\r\n`, in RESP2 an array; then `count` replies. A push is no answer to a command.
    @inlinable package mutating func writePushHeader(_ count: Int, _ version: RESPVersion) {
        switch version {
        case .resp2: writeArrayHeader(count)
        case .resp3: writeNumber(UInt8(ascii: ">"), Int64(count))
        }
    }
}
