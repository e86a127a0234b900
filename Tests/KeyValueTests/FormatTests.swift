import ByteCoding
import KeyValue
import Testing

@Suite("Commands, segments and blocks as bytes")
struct FormatTests {
    static let commands: [(TextCommand, String)] = [
        ("SET k v", "08000000 01 00 01000000 6b 76"),
        ("SET k v NX", "08000000 01 01 01000000 6b 76"),
        ("SET k v XX GET", "08000000 01 06 01000000 6b 76"),
        ("SET k v IFEQ ol", "0e000000 01 03 01000000 6b 02000000 6f6c 76"),
        ("SET k v GET", "08000000 01 04 01000000 6b 76"),
        ("SET '' ''", "06000000 01 00 00000000"),
        ("DEL a bc", "11000000 02 00 02000000 01000000 61 02000000 6263"),
        ("APPEND k v", "08000000 03 00 01000000 6b 76"),
        ("INCRBY k -2", "0f000000 04 00 01000000 6b feffffffffffffff"),
        ("MSET a 1", "10000000 05 00 01000000 01000000 61 01000000 31"),
        ("FLUSHALL", "02000000 06 00"),
        ("OPEN 1000 4 2", "12000000 07 00 e803000000000000 04000000 02000000"),
        ("CLOSE 5-1", "0e000000 08 00 0500000000000000 01000000"),
        (
            "ONCE 5-1 3 SET k v NX",
            "22000000 09 00 0500000000000000 01000000 0300000000000000 08000000 01 01 01000000 6b 76"
        ),
        ("ONCE 5-1 1 FLUSHALL", "1c000000 09 00 0500000000000000 01000000 0100000000000000 02000000 06 00"),
    ]

    @Test(arguments: commands) func `a command's bytes do not change`(_ command: TextCommand, _ bytes: String) {
        let signed = segment([command], .own(1))
        #expect(hex(signed.slice(SegmentView.headerBytes..<signed.count)) == bytes.filter { $0 != " " })
    }

    @Test func `a block's bytes do not change`() {
        let origin = Origin(node: 1, incarnation: 2, sequence: 3)
        let segments = [segment(["SET k v"], origin), segment(["FLUSHALL", "FLUSHALL"], origin)]
        let block = Block.encode(stamp: 0x0102, segments: segments)
        let header = "0100000000000000 0200000000000000 0300000000000000"
        let expected = """
            01 0201000000000000
            \(header) 01000000 0c000000 08000000 01 00 01000000 6b 76
            \(header) 02000000 0c000000 02000000 06 00 02000000 06 00
            """
        #expect(block == unhex(expected))
    }

    @Test func `the state's bytes do not change`() throws {
        let replica = Replica(MemoryStateStore())
        try replica.apply([unit(5, ["SET x 1", "SET k v"])])
        let expected = [
            ("0000000000000007 00 6170706c696564", nil),
            ("0000000000000007 10 6b", "10 0500000000000000 01000000 76"),
            ("0000000000000007 10 78", "10 0500000000000000 00000000 31"),
        ]
        let dump = try replica.dump()
        #expect(dump.map(\.key) == expected.map { unhex($0.0) })
        #expect(dump.dropFirst().map(\.value) == expected.dropFirst().map { unhex($0.1!) })
        #expect(try AppliedRecord(decoding: dump[0].value, group: 7) == AppliedRecord(position: "at 5"))
    }

    @Test func `the bytes of sessions in the state do not change`() throws {
        let replica = Replica(MemoryStateStore())
        try replica.apply([
            unit(
                5,
                [
                    "OPEN 1000 128 9", "ONCE 5-0 1 SET k v", "ONCE 5-0 2 SET k v NX", "ONCE 5-0 3 APPEND k w",
                    "ONCE 5-0 130 SET k x GET", "ONCE 5-0 131 INCRBY k 1",
                ], stamp: 0x0102)
        ])
        let session = "0000000000000005 00000000"
        let expected = [
            (
                "0000000000000007 12 \(session)",
                "01 e803000000000000 80000000 8300000000000000 0500000000000000 05000000 0201000000000000"
            ),
            ("0000000000000007 13 \(session) 00000001", "01 0100000000000000 00"),
            ("0000000000000007 13 \(session) 00000002", "01 8200000000000000 03 7677"),
            ("0000000000000007 13 \(session) 00000003", "01 8300000000000000 04 01"),
        ]
        let dump = try replica.dump().dropFirst(2)
        #expect(dump.map(\.key) == expected.map { unhex($0.0) })
        #expect(dump.map(\.value) == expected.map { unhex($0.1) })
    }

    @Test func `what the writer wrote is read in place`() throws {
        let commands = Self.commands.map(\.0)
        let block = Block.encode(stamp: 42, segments: [segment(commands, .own(6))])
        try block.withUnsafeBytes { memory in
            let view = try Block(memory)
            #expect(view.stamp == 42)
            var segments = view.segments
            let segment = try #require(try segments.next())
            #expect(segment.origin == .own(6))
            #expect(segment.count == commands.count)
            var (cursor, read) = (segment.commands, [TextCommand]())
            while let raw = try cursor.next() { read.append(words(of: try Command(raw))) }
            #expect(read == commands)
            #expect(try segments.next() == nil)
        }
    }

    private func words(of command: Command) -> TextCommand {
        let text = { (run: UnsafeRawBufferPointer) in String(decoding: run, as: UTF8.self) }
        switch command {
        case .set(let key, let value, let condition, let returnOld):
            let words =
                switch condition {
                case .none: [String]()
                case .ifAbsent: ["NX"]
                case .ifPresent: ["XX"]
                case .ifEqual(let old): ["IFEQ", text(old)]
                }
            return TextCommand(["SET", text(key), text(value)] + words + (returnOld ? ["GET"] : []))
        case .delete(let keys): return TextCommand(["DEL"] + keys.map(text))
        case .append(let key, let suffix): return TextCommand(["APPEND", text(key), text(suffix)])
        case .increment(let key, let delta): return TextCommand(["INCRBY", text(key), String(delta)])
        case .multiSet(let pairs): return TextCommand(["MSET"] + pairs.flatMap { [text($0.key), text($0.value)] })
        case .flushAll: return "FLUSHALL"
        case .openSession(let limits):
            return TextCommand(
                stringLiteral: "OPEN \(limits.idleMilliseconds) \(limits.window) \(limits.maxSessions)")
        case .closeSession(let session): return TextCommand(["CLOSE", session.description])
        case .once(let request):
            let words = words(of: request.command).words
            return TextCommand(["ONCE", request.session.description, String(request.sequence)] + words)
        }
    }

    @Test func `a writer counts what it holds and is empty after a segment`() throws {
        var writer = SegmentWriter()
        #expect(writer.isEmpty && writer.byteCount == 0)
        for sequence in 1...2 as ClosedRange<UInt64> {
            TextCommand("SET k v").encode(into: &writer)
            TextCommand("FLUSHALL").encode(into: &writer)
            #expect(writer.count == 2)
            #expect(writer.byteCount == SegmentView.headerBytes + 12 + 6)
            let finished = writer.finish()
            #expect(finished.count == 2 && finished.byteCount == SegmentView.headerBytes + 18)
            #expect(writer.isEmpty && writer.count == 0 && writer.byteCount == 0)
            let bytes = finished.sign(.own(sequence))
            let header = try Segment.header(of: bytes)
            #expect(header.origin == .own(sequence) && header.count == 2)
            let checked = try SegmentView.validate(bytes)
            #expect(checked.origin == .own(sequence) && checked.count == 2)
        }
    }

    @Test(
        arguments: [
            ("SET k v", Footprint(keysWritten: ["k"])),
            ("SET k v NX", Footprint(keysRead: ["k"], keysWritten: ["k"])),
            ("SET k v IFEQ o", Footprint(keysRead: ["k"], keysWritten: ["k"])),
            ("SET k v GET", Footprint(keysRead: ["k"], keysWritten: ["k"])),
            ("DEL a b", Footprint(keysRead: ["a", "b"], keysWritten: ["a", "b"])),
            ("APPEND k v", Footprint(keysRead: ["k"], keysWritten: ["k"])),
            ("INCRBY k 1", Footprint(keysRead: ["k"], keysWritten: ["k"])),
            ("MSET a 1 b 2", Footprint(keysWritten: ["a", "b"])),
            ("FLUSHALL", Footprint(isWhole: true)),
            ("OPEN 1 1 1", Footprint(isWhole: true)),
            ("CLOSE 5-1", Footprint(session: SessionID(index: 5, ordinal: 1))),
            (
                "ONCE 5-1 1 APPEND k v",
                Footprint(keysRead: ["k"], keysWritten: ["k"], session: SessionID(index: 5, ordinal: 1))
            ),
            ("ONCE 5-1 1 FLUSHALL", Footprint(session: SessionID(index: 5, ordinal: 1), isWhole: true)),
        ] as [(TextCommand, Footprint)])
    func `a footprint follows from the bytes alone`(_ command: TextCommand, _ footprint: Footprint) throws {
        let block = Block.encode(stamp: 0, segments: [segment([command], .own(1))])
        try block.withUnsafeBytes { memory in
            var segments = try Block(memory).segments
            var commands = try #require(try segments.next()).commands
            #expect(Footprint(of: try Command(try #require(try commands.next()))) == footprint)
        }
    }
}
