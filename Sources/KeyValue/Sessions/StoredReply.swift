import ByteCoding

/// The outcome of a request, kept for its repetitions.
///
/// ```
/// version u8 (1) | sequence u64 | kind u8 | what the kind says      little-endian
/// kinds: 0 ok, 1 null, 2 integer i64, 3 value: the rest, 4 failure: code u8
/// ```
package struct StoredReply: Hashable, Sendable {
    static let version: UInt8 = 1
    /// The longest value that a reply may hold, in bytes: what a session keeps must be bounded. A command that would
    /// answer a longer one is not executed. Part of the format, as replicas must agree.
    package static let maxValueBytes = 8 << 10

    let sequence: UInt64
    let outcome: Outcome

    init(sequence: UInt64, outcome: Outcome) {
        self.sequence = sequence
        self.outcome = outcome
    }

    private enum Kind {
        static let ok: UInt8 = 0
        static let null: UInt8 = 1
        static let integer: UInt8 = 2
        static let value: UInt8 = 3
        static let failure: UInt8 = 4
    }

    func encode() -> Bytes {
        var writer = ByteWriter(reservingCapacity: 18)
        writer.append(Self.version)
        writer.append(sequence)
        switch outcome {
        case .ok: writer.append(Kind.ok)
        case .null: writer.append(Kind.null)
        case .integer(let value):
            writer.append(Kind.integer)
            writer.append(value)
        case .value(let bytes):
            writer.append(Kind.value)
            writer.append(bytes)
        case .failure(let failure):
            writer.append(Kind.failure)
            writer.append(Self.code(of: failure))
        case .values: preconditionFailure("a write command answers one value, not \(outcome)")
        }
        return writer.take()
    }

    /// The value shares the storage of `stored`.
    init(decoding stored: Bytes) throws(StateStoreError) {
        do throws(MalformedBytes) {
            var reader = ByteReader(stored)
            let version = try reader.u8("version")
            guard version == Self.version else { throw MalformedBytes("version \(version)", at: 0) }
            sequence = try reader.u64("sequence number")
            outcome = try Self.outcome(&reader)
            guard reader.isAtEnd else { throw MalformedBytes("length", at: reader.offset) }
        } catch {
            throw StateStoreError(.corruption, "a session's reply can't be read: \(error)")
        }
    }

    private static func outcome(_ reader: inout ByteReader) throws(MalformedBytes) -> Outcome {
        switch try reader.u8("kind") {
        case Kind.ok: return .ok
        case Kind.null: return .null
        case Kind.integer: return .integer(Int64(bitPattern: try reader.u64("integer")))
        case Kind.value: return .value(try reader.run(reader.remaining, "value"))
        case Kind.failure: return .failure(try failure(ofCode: try reader.u8("failure"), at: reader.offset))
        case let kind: throw MalformedBytes("kind \(kind)", at: reader.offset)
        }
    }

    /// Numbers are never used again for something else.
    private static let codes: [(failure: CommandFailure, code: UInt8)] = [
        (.notAnInteger, 1), (.overflow, 2), (.valueTooLong, 3), (.oldValueTooLong, 4),
    ]

    private static func code(of failure: CommandFailure) -> UInt8 {
        guard let pair = codes.first(where: { $0.failure == failure }) else {
            preconditionFailure("\(failure) is no outcome of a write command")
        }
        return pair.code
    }

    private static func failure(ofCode code: UInt8, at offset: Int) throws(MalformedBytes) -> CommandFailure {
        guard let pair = codes.first(where: { $0.code == code }) else {
            throw MalformedBytes("failure \(code)", at: offset)
        }
        return pair.failure
    }
}
