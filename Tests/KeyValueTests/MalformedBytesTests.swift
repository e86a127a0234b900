import ByteCoding
import KeyValue
import Testing

@Suite("Malformed blocks are typed errors, never crashes")
struct MalformedBytesTests {
    private static let segments = [
        segment(FormatTests.commands.map(\.0), .own(1)), segment(["SET a 1", "DEL a b c"], .own(2)),
    ]
    private static let block = Block.encode(stamp: 9, segments: segments)

    /// Applies a payload to a new replica; nil if that failed on the payload, and then nothing may be visible.
    private func apply(_ payload: Bytes) throws -> [Pair]? {
        let replica = Replica(MemoryStateStore())
        do {
            try replica.apply([ApplyUnit(position: "p", index: 1, payload: payload)])
            return try replica.dump()
        } catch {
            guard case .payload(index: 1, _) = error as? ApplyError else { throw error }
            #expect(try replica.dump().isEmpty)
            return nil
        }
    }

    private func isValid(_ block: Bytes) -> Bool { (try? Block.validate(block)) != nil }

    @Test func `a block cut anywhere but between segments is refused`() throws {
        let block = Self.block
        let between = [Block.headerBytes, Block.headerBytes + Self.segments[0].count, block.count]
        for count in 0...block.count {
            let cut = Bytes(block.slice(0..<count).array)
            #expect(isValid(cut) == between.contains(count), "\(count) bytes")
            #expect(try (apply(cut) != nil) == between.contains(count), "\(count) bytes")
        }
    }

    @Test func `a segment cut anywhere is refused, and so is one with a byte too many`() throws {
        let whole = Self.segments[0]
        #expect(try SegmentView.validate(whole).count == FormatTests.commands.count)
        for count in 0..<whole.count {
            let cut = Bytes(whole.slice(0..<count).array)
            #expect(throws: FormatError.self) { try SegmentView.validate(cut) }
        }
        let longer = Bytes(whole.array + [0])
        #expect(throws: FormatError.malformed(MalformedBytes("end of segment", at: whole.count))) {
            try SegmentView.validate(longer)
        }
    }

    @Test(arguments: [
        ("", FormatError.malformed(MalformedBytes("block version", at: 0))),
        ("00 0000000000000000", .malformed(MalformedBytes("block version", at: 0))),
        ("02 0000000000000000", .newerBlock(version: 2)),
        ("01 00000000000000", .malformed(MalformedBytes("block stamp", at: 1))),
    ])
    func `a block's header`(_ bytes: String, _ error: FormatError) {
        #expect(throws: error) { try Block.validate(unhex(bytes)) }
    }

    @Test(arguments: [
        ("02000000 0a 00", FormatError.unknownOpcode(10)),
        ("02000000 00 00", .unknownOpcode(0)),
        ("02000000 06 01", .unknownFlags(1, opcode: 6)),
        ("08000000 01 08 01000000 6b 76", .unknownFlags(8, opcode: 1)),
        ("08000000 03 01 01000000 6b 76", .unknownFlags(1, opcode: 3)),
        ("01000000 06 00", .malformed(MalformedBytes("command length", at: 45))),
        ("03000000 06 00", .malformed(MalformedBytes("command length", at: 45))),
        ("ffffffff 06 00", .malformed(MalformedBytes("command length", at: 45))),
        ("03000000 06 00 00", .malformed(MalformedBytes("end of command", at: 47))),
        ("07000000 01 00 02000000 6b", .malformed(MalformedBytes("set key", at: 51))),
        ("07000000 01 00 ffffffff 6b", .malformed(MalformedBytes("set key", at: 51))),
        ("08000000 01 03 01000000 6b 76", .malformed(MalformedBytes("set comparison", at: 52))),
        ("06000000 02 00 01000000", .malformed(MalformedBytes("key", at: 51))),
        ("06000000 02 00 ffffffff", .malformed(MalformedBytes("key", at: 51))),
        ("0a000000 05 00 01000000 00000000", .malformed(MalformedBytes("pair value", at: 55))),
        ("07000000 04 00 01000000 6b", .malformed(MalformedBytes("increment delta", at: 52))),
        ("10000000 04 00 01000000 6b 0000000000000000 00", .malformed(MalformedBytes("end of command", at: 60))),
        ("12000000 07 00 0000000000000000 00000000 01000000", .malformed(MalformedBytes("session limits", at: 63))),
        ("12000000 07 00 0000000000000000 01040000 01000000", .malformed(MalformedBytes("session limits", at: 63))),
        ("12000000 07 00 0000000000000000 01000000 00000000", .malformed(MalformedBytes("session limits", at: 63))),
        ("12000000 07 01 0000000000000000 01000000 01000000", .unknownFlags(1, opcode: 7)),
        ("0a000000 08 00 0000000000000000", .malformed(MalformedBytes("session ordinal", at: 55))),
        (
            "1c000000 09 00 0500000000000000 01000000 0000000000000000 02000000 06 00",
            .malformed(MalformedBytes("sequence number", at: 67))
        ),
        (
            "28000000 09 00 0500000000000000 01000000 0100000000000000 0e000000 08 00 0500000000000000 01000000",
            .malformed(MalformedBytes("command of a session", at: 85))
        ),
        (
            "1c000000 09 00 0500000000000000 01000000 0100000000000000 02000000 0b 00", .unknownOpcode(11)
        ),
        (
            "1d000000 09 00 0500000000000000 01000000 0100000000000000 02000000 06 00 00",
            .malformed(MalformedBytes("end of command", at: 73))
        ),
        (
            "16000000 09 00 0500000000000000 01000000 0100000000000000",
            .malformed(MalformedBytes("command length", at: 67))
        ),
    ])
    func `a command says what is wrong with it and where`(_ command: String, _ error: FormatError) throws {
        let bytes = unhex(command)
        var writer = ByteWriter()
        writer.append(unhex("01 0000000000000000"))
        for word in [1, 77, 1] as [UInt64] { writer.append(word) }
        writer.append(1 as UInt32)
        writer.appendLengthPrefixed(bytes)
        let block = writer.take()
        #expect(throws: error) { try Block.validate(block) }
        #expect(try apply(block) == nil)
    }

    @Test(arguments: [0, 1, 12, 14, UInt32.max]) func `a count of commands that is not true is refused`(_ count: UInt32)
    {
        var writer = ByteWriter()
        writer.append(segment((0..<13).map { _ in "FLUSHALL" }, .own(1)))
        writer.overwrite(at: 24, with: count)
        let bytes = writer.take()
        #expect(throws: FormatError.self) { try SegmentView.validate(bytes) }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `a damaged block is applied whole or refused whole, as validation says`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            var bytes = Self.block.array
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let value: UInt8 = Bool.random(using: &random) ? UInt8.random(in: 0...9, using: &random) : 0xFF
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = value
            }
            let damaged = Bytes(bytes)
            #expect(try (apply(damaged) != nil) == isValid(damaged), "seed \(seed): \(hex(damaged))")
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func `random bytes behind a good header never crash`(seed: UInt64) throws
    {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let tail = (0..<Int.random(in: 0..<120, using: &random)).map { _ in UInt8.random(in: 0...3, using: &random)
            }
            let bytes = Bytes([1] + tail)
            #expect(try (apply(bytes) != nil) == isValid(bytes), "seed \(seed): \(hex(bytes))")
        }
    }
}
