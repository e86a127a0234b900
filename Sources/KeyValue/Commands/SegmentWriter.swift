/// An event loop's arena: encodes each write command straight from the connection's buffer, in the form in which it will
/// be logged. The header's 32 bytes are kept free in front, so that signing the segment needs no copy.
///
/// The caller bounds what it puts in (`byteCount`, per-request limits): a segment of 4 GiB or more is a programmer's error.
package struct SegmentWriter: Sendable {
    /// Room kept for the next segment after a large one, in bytes.
    private static let maxReservedBytes = 256 << 10

    private var bytes: [UInt8] = []
    /// Commands so far.
    package private(set) var count = 0
    private var reservedBytes: Int

    package init(reservingCapacity capacity: Int = 4096) {
        reservedBytes = min(capacity, Self.maxReservedBytes)
    }

    package var isEmpty: Bool { count == 0 }

    /// Bytes of the segment so far, its header included; 0 when empty.
    package var byteCount: Int { bytes.count }

    package mutating func set(
        key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer,
        condition: SetCondition = .none,
        returnOld: Bool = false
    ) {
        var flags = returnOld ? SetFlags.returnOld : 0
        var comparison: UnsafeRawBufferPointer?
        switch condition {
        case .none: break
        case .ifAbsent: flags |= SetFlags.ifAbsent
        case .ifPresent: flags |= SetFlags.ifPresent
        case .ifEqual(let old):
            flags |= SetFlags.ifEqual
            comparison = old
        }
        let comparisonBytes = comparison.map { 4 + $0.count } ?? 0
        begin(.set, flags: flags, bodyBytes: 4 + key.count + comparisonBytes + value.count, firstWord: key.count)
        bytes.append(contentsOf: key)
        if let comparison { appendRun(comparison) }
        bytes.append(contentsOf: value)
    }

    /// Removes the keys that `key` gives for `0 ..< count`; each is asked for twice.
    package mutating func delete(count: Int, key: (Int) -> UnsafeRawBufferPointer) {
        var bodyBytes = 4
        for index in 0..<count { bodyBytes += 4 + key(index).count }
        begin(.delete, bodyBytes: bodyBytes, firstWord: count)
        for index in 0..<count { appendRun(key(index)) }
    }

    package mutating func append(key: UnsafeRawBufferPointer, suffix: UnsafeRawBufferPointer) {
        begin(.append, bodyBytes: 4 + key.count + suffix.count, firstWord: key.count)
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: suffix)
    }

    package mutating func increment(key: UnsafeRawBufferPointer, by delta: Int64) {
        begin(.increment, bodyBytes: 4 + key.count + 8, firstWord: key.count)
        bytes.append(contentsOf: key)
        withUnsafeBytes(of: delta.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Sets the pairs that `pair` gives for `0 ..< count`; each is asked for twice.
    package mutating func multiSet(
        count: Int, pair: (Int) -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
    ) {
        var bodyBytes = 4
        for index in 0..<count {
            let (key, value) = pair(index)
            bodyBytes += 8 + key.count + value.count
        }
        begin(.multiSet, bodyBytes: bodyBytes, firstWord: count)
        for index in 0..<count {
            let (key, value) = pair(index)
            appendRun(key)
            appendRun(value)
        }
    }

    package mutating func flushAll() { begin(.flushAll, bodyBytes: 0, firstWord: nil) }

    /// Opens a session; the outcome is its `SessionID`, as a value.
    package mutating func openSession(_ limits: SessionLimits) {
        begin(.openSession, bodyBytes: 16, firstWord: nil)
        append(limits.idleMilliseconds)
        append(limits.window)
        append(limits.maxSessions)
    }

    package mutating func closeSession(_ session: SessionID) {
        begin(.closeSession, bodyBytes: 12, firstWord: nil)
        append(session.index)
        append(session.ordinal)
    }

    /// Lets `encode` add exactly one command, none of a session, to be executed once under `sequence` (from 1).
    package mutating func once(_ session: SessionID, sequence: UInt64, _ encode: (inout SegmentWriter) -> Void) {
        precondition(sequence > 0, "sequence numbers begin at 1")
        begin(.once, bodyBytes: 20, firstWord: nil)
        let frame = bytes.count - 6
        append(session.index)
        append(session.ordinal)
        append(sequence)
        let outer = count
        encode(&self)
        precondition(count == outer + 1, "\(count - outer) commands under one sequence number")
        count = outer
        let length = UInt32(bytes.count - frame - 4).littleEndian
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: frame, as: UInt32.self) }
    }

    /// Hands the segment over and leaves this writer empty.
    ///
    /// - Precondition: not empty.
    package mutating func finish() -> Segment {
        precondition(!isEmpty, "a segment without commands")
        defer {
            // The next turn will most likely be like this one.
            reservedBytes = min(bytes.count, Self.maxReservedBytes)
            bytes = []
            count = 0
        }
        return Segment(bytes: bytes, count: count)
    }

    /// The frame of a command and the word, if any, that its body begins with, in one append.
    private mutating func begin(_ opcode: Opcode, flags: UInt8 = 0, bodyBytes: Int, firstWord: Int?) {
        if bytes.isEmpty {
            bytes.reserveCapacity(max(reservedBytes, SegmentView.headerBytes + 6 + bodyBytes))
            bytes.append(contentsOf: repeatElement(0, count: SegmentView.headerBytes))
        }
        precondition(
            bytes.count + 6 + bodyBytes <= SegmentView.headerBytes + Int(UInt32.max),
            "a segment of \(bytes.count) bytes can't take a command of \(bodyBytes)")
        count += 1
        withUnsafeTemporaryAllocation(byteCount: 10, alignment: 8) { frame in
            frame.storeBytes(of: UInt32(bodyBytes + 2).littleEndian, as: UInt32.self)
            frame[4] = opcode.rawValue
            frame[5] = flags
            guard let firstWord else {
                bytes.append(contentsOf: frame[..<6])
                return
            }
            frame.storeBytes(of: UInt32(firstWord).littleEndian, toByteOffset: 6, as: UInt32.self)
            bytes.append(contentsOf: frame)
        }
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func appendRun(_ run: UnsafeRawBufferPointer) {
        withUnsafeBytes(of: UInt32(run.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: run)
    }
}
