/// Finds replies in the bytes that a server sends, whatever the pieces they arrive in.
///
/// Keeps the bytes itself, and the aggregates in progress on a stack of its own, so that a long array that dribbles in
/// costs each byte once and a deep one no call stack. Attributes (`|`) are read and left out.
package struct ReplyParser: Sendable {
    private struct Aggregate {
        enum Kind { case array, map, set, push, attribute }
        var kind: Kind
        /// Elements still to come; a map's keys and values count separately.
        var remaining: Int
        var elements: [Reply] = []
    }

    /// Consumed bytes beyond which the buffer is moved to its front.
    private static let compactionBytes = 64 << 10

    package let limits: ReplyLimits
    private var buffer: [UInt8] = []
    /// The first byte not yet understood.
    private var offset = 0
    /// Where to go on looking for the end of the line that starts at `offset`.
    private var lineScan = 0
    private var stack: [Aggregate] = []
    private var failure: ReplyFailure?

    package init(limits: ReplyLimits = ReplyLimits()) { self.limits = limits }

    /// Whether nothing has been received that `next` has not returned.
    package var isEmpty: Bool { offset == buffer.count && stack.isEmpty }

    /// Takes in what the link delivered.
    package mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole reply; `nil` until more bytes arrive.
    ///
    /// - Throws: `ReplyFailure`, and the same again at each further call.
    package mutating func next() throws(ReplyFailure) -> Reply? {
        if let failure { throw failure }
        do throws(ReplyFailure) {
            while let element = try element() {
                if let reply = fold(element) {
                    compact()
                    return reply
                }
            }
            compact()
            return nil
        } catch {
            failure = error
            throw error
        }
    }

    private enum Element {
        case reply(Reply)
        case open(Aggregate)
    }

    /// The next scalar, or the header of an aggregate; `nil` if it is not all there.
    private mutating func element() throws(ReplyFailure) -> Element? {
        guard offset < buffer.count else { return nil }
        let type = buffer[offset]
        guard Self.isType(type) else { throw .unknownType(type) }
        guard let end = try lineEnd() else { return nil }
        let line = buffer[offset + 1..<end]
        switch type {
        case UInt8(ascii: "$"), UInt8(ascii: "="):
            return try bulk(type, length: length(line), at: end + 2)
        case UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "|"):
            guard let count = try length(line) else {
                guard type == UInt8(ascii: "*") else { throw .malformedLength }
                consume(to: end + 2)
                return .reply(.null)
            }
            consume(to: end + 2)
            return .open(try aggregate(type, count))
        default:
            let reply = try scalar(type, line)
            consume(to: end + 2)
            return .reply(reply)
        }
    }

    private static func isType(_ byte: UInt8) -> Bool {
        let types: StaticString = "+-:$*_#,(=%~>|"
        return UnsafeRawBufferPointer(start: types.utf8Start, count: types.utf8CodeUnitCount).contains(byte)
    }

    /// The offset of the CR that ends the line at `offset`.
    private mutating func lineEnd() throws(ReplyFailure) -> Int? {
        lineScan = max(lineScan, offset + 1)
        while lineScan + 1 < buffer.count {
            if buffer[lineScan] == UInt8(ascii: "\r") {
                guard buffer[lineScan + 1] == UInt8(ascii: "\n") else { throw .malformedLine(type: buffer[offset]) }
                return lineScan
            }
            lineScan += 1
            if lineScan - offset > limits.maxLineBytes + 1 { throw .limitExceeded("line bytes") }
        }
        return nil
    }

    private mutating func consume(to end: Int) {
        offset = end
        lineScan = end
    }

    /// A length; `nil` for the `-1` of RESP2's nulls.
    private func length(_ line: ArraySlice<UInt8>) throws(ReplyFailure) -> Int? {
        guard let value = Self.integer(line), value >= -1 else { throw .malformedLength }
        return value == -1 ? nil : Int(value)
    }

    /// The content of a bulk or verbatim string whose header's line ended before `start`.
    private mutating func bulk(_ type: UInt8, length: Int?, at start: Int) throws(ReplyFailure) -> Element? {
        guard let length else {
            guard type == UInt8(ascii: "$") else { throw .malformedLength }
            consume(to: start)
            return .reply(.null)
        }
        if length > limits.maxBulkBytes { throw .limitExceeded("bulk bytes") }
        let end = start + length
        guard buffer.count >= end + 2 else { return nil }
        guard buffer[end] == UInt8(ascii: "\r"), buffer[end + 1] == UInt8(ascii: "\n") else { throw .missingBulkEnd }
        let content = buffer[start..<end]
        if type == UInt8(ascii: "$") {
            consume(to: end + 2)
            return .reply(.bulk(Array(content)))
        }
        guard length >= 4, content[start + 3] == UInt8(ascii: ":") else { throw .malformedLine(type: type) }
        consume(to: end + 2)
        let format = String(decoding: content.prefix(3), as: UTF8.self)
        return .reply(.verbatim(format: format, Array(content.dropFirst(4))))
    }

    private func aggregate(_ type: UInt8, _ count: Int) throws(ReplyFailure) -> Aggregate {
        if count > limits.maxElements { throw .limitExceeded("elements") }
        if stack.count >= limits.maxDepth { throw .limitExceeded("depth") }
        switch type {
        case UInt8(ascii: "%"): return Aggregate(kind: .map, remaining: count * 2)
        case UInt8(ascii: "~"): return Aggregate(kind: .set, remaining: count)
        case UInt8(ascii: ">"): return Aggregate(kind: .push, remaining: count)
        case UInt8(ascii: "|"): return Aggregate(kind: .attribute, remaining: count * 2)
        default: return Aggregate(kind: .array, remaining: count)
        }
    }

    private func scalar(_ type: UInt8, _ line: ArraySlice<UInt8>) throws(ReplyFailure) -> Reply {
        let text = String(decoding: line, as: UTF8.self)
        switch type {
        case UInt8(ascii: "+"): return .simple(text)
        case UInt8(ascii: "-"): return .error(text)
        case UInt8(ascii: ":"):
            if let value = Self.integer(line) { return .integer(value) }
        case UInt8(ascii: "_"):
            if line.isEmpty { return .null }
        case UInt8(ascii: "#"):
            if text == "t" || text == "f" { return .boolean(text == "t") }
        case UInt8(ascii: ","):
            if let value = Double(text) { return .double(value) }
        default:
            let digits = line.first == UInt8(ascii: "-") ? line.dropFirst() : line
            if !digits.isEmpty, digits.allSatisfy(Self.isDigit) { return .bigNumber(text) }
        }
        throw .malformedLine(type: type)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

    private static func integer(_ line: ArraySlice<UInt8>) -> Int64? {
        Int64(String(decoding: line, as: UTF8.self))
    }

    /// Puts the element where it belongs; returns the outermost reply when that is complete.
    private mutating func fold(_ element: Element) -> Reply? {
        var finished: Reply?
        switch element {
        case .reply(let reply): finished = reply
        case .open(let aggregate): stack.append(aggregate)
        }
        while true {
            if let reply = finished {
                guard !stack.isEmpty else { return reply }
                stack[stack.count - 1].elements.append(reply)
                stack[stack.count - 1].remaining -= 1
                finished = nil
            }
            guard let top = stack.last, top.remaining == 0 else { return nil }
            stack.removeLast()
            finished = Self.close(top)
            // An attribute is an addition to the reply that follows it, and counts as no element.
            if finished == nil { return nil }
        }
    }

    private static func close(_ aggregate: Aggregate) -> Reply? {
        let elements = aggregate.elements
        switch aggregate.kind {
        case .array: return .array(elements)
        case .set: return .set(elements)
        case .push: return .push(elements)
        case .attribute: return nil
        case .map:
            return .map(stride(from: 0, to: elements.count, by: 2).map { Reply.Pair(elements[$0], elements[$0 + 1]) })
        }
    }

    private mutating func compact() {
        guard offset == buffer.count || offset > Self.compactionBytes && offset > buffer.count / 2 else { return }
        buffer.removeFirst(offset)
        lineScan -= offset
        offset = 0
    }
}
