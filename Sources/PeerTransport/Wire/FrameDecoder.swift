import ByteCoding
import Raft

/// Cuts a stream of bytes into frames. Knows nothing of who sends: see `FrameChecker`.
///
/// The bytes of a read that complete frames are copied once, as one run; the payloads are slices of it. A length is never
/// trusted: memory is taken only for bytes that have come.
struct FrameDecoder: Sendable {
    /// Header included.
    let maxFrameBytes: Int
    /// The beginning of a frame whose end has not come yet.
    private var carry: [UInt8] = []

    init(maxFrameBytes: Int) { self.maxFrameBytes = maxFrameBytes }

    /// Takes the next bytes of the stream and appends every frame that is complete.
    ///
    /// - Throws: at the first bad frame; those before it have been appended, and the decoder is of no more use.
    mutating func decode(_ read: UnsafeRawBufferPointer, into frames: inout [Frame]) throws(FrameError) {
        let complete: Run
        if carry.isEmpty {
            complete = completeFrames(in: read)
            try Self.split(
                Bytes(copying: UnsafeRawBufferPointer(rebasing: read[..<complete.byteCount])), into: &frames)
            carry.append(contentsOf: read[complete.byteCount...])
        } else {
            carry.append(contentsOf: read)
            complete = carry.withUnsafeBytes { completeFrames(in: $0) }
            if complete.byteCount > 0 {
                let whole = Bytes(carry)
                carry = Array(carry[complete.byteCount...])
                try Self.split(whole.slice(0..<complete.byteCount), into: &frames)
            }
        }
        if let error = complete.error { throw error }
    }

    /// The complete frames at the front of some bytes.
    private struct Run {
        var byteCount: Int
        /// What is wrong with the length that follows them, if anything.
        var error: FrameError?
    }

    private func completeFrames(in bytes: UnsafeRawBufferPointer) -> Run {
        var offset = 0
        while bytes.count - offset >= FrameHeader.lengthByteCount {
            let frameBytes = FrameHeader.frameByteCount(at: offset, in: bytes)
            guard frameBytes >= FrameHeader.byteCount, frameBytes <= maxFrameBytes else {
                return Run(byteCount: offset, error: .lengthOutOfRange(frameBytes, limit: maxFrameBytes))
            }
            guard bytes.count - offset >= frameBytes else { break }
            offset += frameBytes
        }
        return Run(byteCount: offset, error: nil)
    }

    /// Splits a run that consists of complete frames.
    private static func split(_ run: Bytes, into frames: inout [Frame]) throws(FrameError) {
        try run.withUnsafeBytes { (bytes) throws(FrameError) in
            var offset = 0
            while offset < bytes.count {
                let end = offset + FrameHeader.frameByteCount(at: offset, in: bytes)
                let header = try FrameHeader(at: offset, in: bytes)
                frames.append(Frame(header: header, payload: run.slice(offset + FrameHeader.byteCount..<end)))
                offset = end
            }
        }
    }
}
