import RESP

/// What a connection's bytes turn into.
struct Parsed: Equatable, CustomStringConvertible {
    enum Item: Equatable {
        case command([String])
        case json(String)
    }
    var items: [Item] = []
    var failure: ProtocolFailure?
    /// Bytes that belong to no complete request.
    var unread = 0

    var description: String { "\(items) failure: \(failure?.message ?? "none") unread: \(unread)" }
}

/// Feeds `bytes` to a parser as a connection does, `step` bytes at a time, and drains it after each piece.
func parse(_ bytes: [UInt8], step: Int = .max, limits: RequestLimits = RequestLimits()) -> Parsed {
    var parser = RequestParser(limits: limits)
    var result = Parsed()
    var (start, end) = (0, 0)
    while end < bytes.count {
        end += min(step, bytes.count - end)
        draining: while true {
            let outcome = bytes[start..<end].withUnsafeBytes { buffer in
                let outcome = parser.parse(buffer)
                if case .command = outcome { result.items.append(.command(arguments(of: parser, in: buffer))) }
                if case .jsonLine(let range, _) = outcome {
                    result.items.append(.json(text(UnsafeRawBufferPointer(rebasing: buffer[range]))))
                }
                return outcome
            }
            switch outcome {
            case .command(let consumed), .jsonLine(_, let consumed):
                start += consumed
            case .needMore(let minimum):
                precondition(minimum > end - start, "more is needed than \(minimum), and \(end - start) are there")
                break draining
            case .failure(let failure):
                result.failure = failure
                return result
            }
        }
    }
    result.unread = end - start
    return result
}

func parse(_ text: String, step: Int = .max, limits: RequestLimits = RequestLimits()) -> Parsed {
    parse(Array(text.utf8), step: step, limits: limits)
}

private func arguments(of parser: borrowing RequestParser, in buffer: UnsafeRawBufferPointer) -> [String] {
    var arguments: [String] = []
    for index in 0..<parser.argumentCount { arguments.append(text(parser.argument(index, in: buffer))) }
    return arguments
}

/// Latin-1, so that each byte shows.
func text(_ bytes: some Sequence<UInt8>) -> String { String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) })) }

/// SplitMix64: a seed names a run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
