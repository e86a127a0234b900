/// Finds requests in the bytes of one connection: arrays of bulk strings, inline commands (with Redis' quoting) and
/// JSON lines.
///
/// The caller keeps the connection's unread bytes and calls `parse` with all of them, from the first byte of the request
/// in progress on. Between calls the parser remembers how far it got, so that a request that dribbles in costs each byte
/// once. A length that the peer announces is compared with the limits and never allocated for.
package struct RequestParser: ~Copyable {
    package enum Result: Hashable, Sendable {
        /// A whole command lies in the first `consumed` bytes; read it through `argumentCount` and `argument`, then drop
        /// those bytes. No arguments: an empty line or array, to be skipped without an answer, as Redis does.
        case command(consumed: Int)
        /// A line that starts with `{`, its end not included, lies in the first `consumed` bytes.
        case jsonLine(Range<Int>, consumed: Int)
        /// Call again when the unread bytes are at least this many. The current element needs them, not the whole
        /// request, so that a malformed element is refused as soon as it arrives. Do not reserve this much ahead.
        case needMore(minimumTotalBytes: Int)
        /// The connection can't go on; the parser answers the same to every further call.
        case failure(ProtocolFailure)
    }

    private enum Phase {
        case start
        case inlineLine
        case jsonLine
        case arrayHeader
        case bulks
        case finished
        case failed
    }

    /// More ranges than this are given back after the command, so that one huge MSET does not stay with its connection.
    private static let retainedArguments = 1024

    package let limits: RequestLimits
    private var phase = Phase.start
    private var failure: ProtocolFailure?
    /// Offset of the first byte not yet understood, from the start of the request.
    private var offset = 0
    /// Bulk strings still to come.
    private var remaining = 0
    /// Bytes of the bulk string at `offset`; `nil`: its header comes next.
    private var bulkCount: Int?
    /// Where the arguments lie: in the caller's buffer, or for an inline command in `unquoted`.
    private var ranges: [Range<Int>] = []
    private var unquoted = UnquotedLine()

    package init(limits: RequestLimits = RequestLimits()) { self.limits = limits }

    /// Whether a request has begun that is not complete, so that the connection is not between requests.
    package var isInsideRequest: Bool {
        switch phase {
        case .start, .finished: false
        case .inlineLine, .jsonLine, .arrayHeader, .bulks, .failed: true
        }
    }

    /// The arguments of the last command found, the command's name included.
    package var argumentCount: Int { ranges.count }

    /// Argument `index` of the last command found, in place.
    ///
    /// - Parameter buffer: the very bytes that `parse` was given. The result is valid as long as they are, and at most
    ///   until the next call of `parse`.
    package func argument(_ index: Int, in buffer: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let source = unquoted.isInUse ? unquoted.bytes : buffer
        return UnsafeRawBufferPointer(rebasing: source[ranges[index]])
    }

    /// All of them, for a caller that asks for several: valid as `argument` is. Keep it no longer than that, or the next
    /// request finds the memory for its ranges taken.
    package func arguments(in buffer: UnsafeRawBufferPointer) -> RequestArguments {
        RequestArguments(source: unquoted.isInUse ? unquoted.bytes : buffer, ranges: ranges)
    }

    /// Looks for the next request.
    ///
    /// - Parameter buffer: all unread bytes: after `.needMore` the same ones and those that followed, after a request
    ///   what came behind its `consumed` bytes.
    package mutating func parse(_ buffer: UnsafeRawBufferPointer) -> Result {
        do throws(ProtocolFailure) {
            return try advance(buffer)
        } catch {
            (phase, failure) = (.failed, error)
            return .failure(error)
        }
    }

    private mutating func advance(_ buffer: UnsafeRawBufferPointer) throws(ProtocolFailure) -> Result {
        if case .finished = phase { reset() }
        if case .start = phase {
            switch buffer.first {
            case nil: return .needMore(minimumTotalBytes: 1)
            case UInt8(ascii: "*"): phase = .arrayHeader
            case UInt8(ascii: "{"): phase = .jsonLine
            default: phase = .inlineLine
            }
        }
        if case .arrayHeader = phase, !(try arrayHeader(buffer)) {
            return .needMore(minimumTotalBytes: buffer.count + 1)
        }
        switch phase {
        case .bulks: return try bulks(buffer)
        case .inlineLine: return try inlineCommand(buffer)
        case .jsonLine: return try jsonLine(buffer)
        case .failed:
            guard let failure else { preconditionFailure("a failed parser without its failure") }
            throw failure
        case .start, .arrayHeader, .finished:
            preconditionFailure("a parser still in phase \(phase)")
        }
    }

    private mutating func reset() {
        if ranges.capacity > Self.retainedArguments { ranges = [] } else { ranges.removeAll(keepingCapacity: true) }
        unquoted.clear()
        offset = 0
        phase = .start
    }

    private mutating func finish() -> Result {
        phase = .finished
        return .command(consumed: offset)
    }

    /// `*<count>\r\n`; false when it is not all there.
    private mutating func arrayHeader(_ buffer: UnsafeRawBufferPointer) throws(ProtocolFailure) -> Bool {
        switch Self.number(in: buffer, at: 1) {
        case .incomplete: return false
        case .malformed: throw .invalidMultibulkLength
        case .value(let count, let end):
            if count > Int(Int32.max) { throw .invalidMultibulkLength }
            if count > limits.maxArguments { throw .tooManyArguments(count: count, limit: limits.maxArguments) }
            remaining = max(0, count)
            bulkCount = nil
            offset = end
            phase = .bulks
            return true
        }
    }

    /// The bulk strings that are there; each is a header and a content.
    private mutating func bulks(_ buffer: UnsafeRawBufferPointer) throws(ProtocolFailure) -> Result {
        while remaining > 0 {
            if bulkCount == nil, !(try bulkHeader(buffer)) { return .needMore(minimumTotalBytes: buffer.count + 1) }
            guard let count = bulkCount else { preconditionFailure("a bulk header without a length") }
            let end = offset + count + 2
            guard buffer.count >= end else { return .needMore(minimumTotalBytes: end) }
            guard buffer[end - 2] == UInt8(ascii: "\r"), buffer[end - 1] == UInt8(ascii: "\n") else {
                throw .missingBulkEnd
            }
            ranges.append(offset..<offset + count)
            offset = end
            remaining -= 1
            bulkCount = nil
        }
        return finish()
    }

    /// `$<count>\r\n`; false when it is not all there.
    private mutating func bulkHeader(_ buffer: UnsafeRawBufferPointer) throws(ProtocolFailure) -> Bool {
        guard offset < buffer.count else { return false }
        guard buffer[offset] == UInt8(ascii: "$") else { throw .expectedBulk(got: buffer[offset]) }
        switch Self.number(in: buffer, at: offset + 1) {
        case .incomplete: return false
        case .malformed: throw .invalidBulkLength
        case .value(let count, let end):
            if count < 0 { throw .invalidBulkLength }
            if count > limits.maxBulkBytes { throw .argumentTooLong(bytes: count, limit: limits.maxBulkBytes) }
            let total = end + count + 2
            if total > limits.maxRequestBytes { throw .requestTooLong(bytes: total, limit: limits.maxRequestBytes) }
            offset = end
            bulkCount = count
            return true
        }
    }

    private enum Number {
        /// `end` is the offset behind the CRLF.
        case value(Int, end: Int)
        case incomplete
        case malformed
    }

    /// A decimal number as Redis takes it (no plus sign, no leading zero) and its CRLF, at `start`. Gives up after ten
    /// digits: no length that long is within any limit, and a line must not be read for ever.
    private static func number(in buffer: UnsafeRawBufferPointer, at start: Int) -> Number {
        var position = start
        guard position < buffer.count else { return .incomplete }
        let isNegative = buffer[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let firstDigit = position
        var value = 0
        while position < buffer.count {
            let digit = buffer[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            value = value &* 10 &+ Int(digit)
            position += 1
            if position - firstDigit > 10 { return .malformed }
        }
        guard position < buffer.count else { return .incomplete }
        let digits = position - firstDigit
        let hasLeadingZero = digits > 0 && buffer[firstDigit] == UInt8(ascii: "0") && (digits > 1 || isNegative)
        guard digits > 0, !hasLeadingZero, buffer[position] == UInt8(ascii: "\r") else { return .malformed }
        guard position + 1 < buffer.count else { return .incomplete }
        guard buffer[position + 1] == UInt8(ascii: "\n") else { return .malformed }
        return .value(isNegative ? -value : value, end: position + 2)
    }

    private mutating func inlineCommand(_ buffer: UnsafeRawBufferPointer) throws(ProtocolFailure) -> Result {
        guard let content = try line(buffer) else { return .needMore(minimumTotalBytes: buffer.count + 1) }
        try unquoted.split(UnsafeRawBufferPointer(rebasing: buffer[content]), into: &ranges)
        if ranges.count > limits.maxArguments {
            throw .tooManyArguments(count: ranges.count, limit: limits.maxArguments)
        }
        return finish()
    }

    private mutating func jsonLine(_ buffer: UnsafeRawBufferPointer) throws(ProtocolFailure) -> Result {
        guard let content = try line(buffer) else { return .needMore(minimumTotalBytes: buffer.count + 1) }
        phase = .finished
        return .jsonLine(content, consumed: offset)
    }

    /// A line, up to LF; a CR before that does not belong to it. `nil` when it is not all there.
    private mutating func line(_ buffer: UnsafeRawBufferPointer) throws(ProtocolFailure) -> Range<Int>? {
        // The longest line, its CR and its LF.
        let longest = limits.maxInlineBytes + 2
        let scanEnd = min(buffer.count, longest)
        while offset < scanEnd, buffer[offset] != UInt8(ascii: "\n") { offset += 1 }
        guard offset < scanEnd else {
            if buffer.count >= longest { throw .inlineTooLong }
            return nil
        }
        let hasCarriageReturn = offset > 0 && buffer[offset - 1] == UInt8(ascii: "\r")
        let count = hasCarriageReturn ? offset - 1 : offset
        if count > limits.maxInlineBytes { throw .inlineTooLong }
        offset += 1
        return 0..<count
    }
}

/// The arguments of one command, in place.
package struct RequestArguments {
    fileprivate let source: UnsafeRawBufferPointer
    fileprivate let ranges: [Range<Int>]

    package var count: Int { ranges.count }
    package subscript(index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: source[ranges[index]]) }
}
