package import ByteCoding

/// A finished segment on its way to the consensus thread, which alone gives out sequence numbers.
package struct Segment: Sendable {
    private var bytes: [UInt8]
    /// The number of commands.
    package let count: Int

    init(bytes: [UInt8], count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Bytes of the segment, its header included.
    package var byteCount: Int { bytes.count }

    /// Writes the header. Copies nothing if this is the only reference to the segment: move it out of its queue first.
    package consuming func sign(_ origin: Origin) -> Bytes {
        let length = UInt32(bytes.count - SegmentView.headerBytes)
        let commands = UInt32(count)
        bytes.withUnsafeMutableBytes { header in
            header.storeBytes(of: origin.node.littleEndian, toByteOffset: 0, as: UInt64.self)
            header.storeBytes(of: origin.incarnation.littleEndian, toByteOffset: 8, as: UInt64.self)
            header.storeBytes(of: origin.sequence.littleEndian, toByteOffset: 16, as: UInt64.self)
            header.storeBytes(of: commands.littleEndian, toByteOffset: 24, as: UInt32.self)
            header.storeBytes(of: length.littleEndian, toByteOffset: 28, as: UInt32.self)
        }
        return Bytes(bytes)
    }

    /// Origin and number of commands of a signed segment, from its header alone; the rest is not looked at.
    package static func header(of bytes: Bytes) throws(FormatError) -> (origin: Origin, count: Int) {
        try bytes.withUnsafeBytes { (bytes) throws(FormatError) in
            var cursor = RawCursor(bytes)
            let segment = try SegmentView(&cursor)
            return (segment.origin, segment.count)
        }
    }
}
