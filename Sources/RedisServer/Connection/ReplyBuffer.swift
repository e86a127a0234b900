import NIOCore
import RESP

/// A reply sink in an event loop's buffer.
struct ReplyBuffer: ReplySink {
    var buffer: ByteBuffer

    init(_ buffer: ByteBuffer = ByteBuffer()) { self.buffer = buffer }

    mutating func write(_ bytes: UnsafeRawBufferPointer) { buffer.writeBytes(bytes) }
    mutating func write(_ byte: UInt8) { buffer.writeInteger(byte) }

    /// `$count\r\n…\r\n` as `ReplySink` writes it, with one look at the buffer instead of four: the reply of each GET.
    mutating func writeBulk(_ bytes: UnsafeRawBufferPointer) {
        // A type byte, at most 19 digits, two line ends.
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + 24) { target in
            target[0] = UInt8(ascii: "$")
            var end = 1 + Self.writeDigits(of: bytes.count, to: target)
            end = Self.writeLineEnd(to: target, at: end)
            UnsafeMutableRawBufferPointer(rebasing: target[end..<end + bytes.count]).copyMemory(from: bytes)
            return Self.writeLineEnd(to: target, at: end + bytes.count)
        }
    }

    /// Writes them behind the type byte, and answers how many they were.
    private static func writeDigits(of number: Int, to target: UnsafeMutableRawBufferPointer) -> Int {
        var count = 1
        var rest = number / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        rest = number
        for place in stride(from: count, to: 0, by: -1) {
            target[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return count
    }

    private static func writeLineEnd(to target: UnsafeMutableRawBufferPointer, at position: Int) -> Int {
        target[position] = UInt8(ascii: "\r")
        target[position + 1] = UInt8(ascii: "\n")
        return position + 2
    }
}
