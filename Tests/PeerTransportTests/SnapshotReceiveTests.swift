import ByteCoding
import Logging
import NIOCore
import NIOEmbedded
import Raft
import Testing

@testable import PeerTransport

@Suite("Snapshots: the receiving side of a connection")
struct SnapshotReceiveTests {
    /// Takes calls and answers them when the test says so.
    private final class Sink: SnapshotSink {
        enum Call: Hashable, Sendable {
            case append(Bytes, UInt64)
            case finish
            case interrupted(String)
        }

        let calls = Recorder<Call>()
        let dones = Recorder<@Sendable (SnapshotSinkResult) -> Void>()

        func append(_ chunk: Bytes, at offset: UInt64, done: @escaping @Sendable (SnapshotSinkResult) -> Void) {
            calls.append(.append(chunk, offset))
            dones.append(done)
        }

        func finish(done: @escaping @Sendable (SnapshotSinkResult) -> Void) {
            calls.append(.finish)
            dones.append(done)
        }

        func interrupted(_ reason: String) { calls.append(.interrupted(reason)) }
    }

    /// Counts how often the handler lets the socket be read.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0
        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    private struct Stream {
        var channel: EmbeddedChannel
        var reads: Reads
        var encoder = FrameEncoder.sample()

        mutating func receive(_ frames: SnapshotFrame...) throws {
            var bytes = Bytes()
            for frame in frames { bytes = bytes + encoder.link(frame.kind, frame.encode()) }
            try channel.receive(bytes)
        }

        func sent() throws -> [SnapshotFrame] {
            channel.embeddedEventLoop.run()
            return try frames(in: channel.sent()).map { try SnapshotFrame($0) }
        }

        /// Whether a read that is asked for now goes through to the socket.
        func isReading() -> Bool {
            let before = reads.count
            channel.pipeline.read()
            return reads.count > before
        }
    }

    private let sink = Sink()
    private let answers = Recorder<@Sendable (SnapshotAnswer) -> Void>()
    private let offers = Recorder<SnapshotOffer>()
    private let log = Recorder<RecordingLog.Line>()

    private func delegate() -> RecordingDelegate {
        RecordingDelegate(offered: { [offers, answers] offer, answer in
            offers.append(offer)
            answers.append(answer)
        })
    }

    private func accept(_ shared: TransportContext) throws -> Stream {
        let reads = Reads()
        let channel = try EmbeddedChannel.connected(reads, InboundHandler(shared: shared) { _ in })
        let introduction = Introduction(identity: .sample(1), maxFrameBytes: 256 << 10, maxMessageBytes: 80 << 20)
        let hello = Hello(purpose: .snapshot, wanted: NodeID(2), introduction: introduction)
        try channel.receive(HandshakeRecord(hello: hello).encode())
        _ = try channel.sent()
        return Stream(channel: channel, reads: reads)
    }

    private static let offer = SnapshotFrame.offer(group: GroupID(1), term: Term(3), totalBytes: 10, metadata: "m")

    /// A stream whose offer of 10 bytes was accepted.
    private func streaming(resumeAt offset: UInt64 = 0) throws -> Stream {
        var stream = try accept(.sample(delegate: delegate(), log: log))
        try stream.receive(Self.offer)
        answers.elements.last?(.accept(sink, resumeAt: offset))
        #expect(try stream.sent() == [.accept(offset: offset)])
        return stream
    }

    private func chunk(_ offset: UInt64, _ text: String) -> SnapshotFrame {
        .chunk(SnapshotChunk(offset: offset, bytes: Bytes(text)))
    }

    @Test func `offer, chunks and end reach delegate and sink; each chunk is acknowledged when it is written`() throws {
        var stream = try streaming()
        #expect(
            offers.elements == [
                SnapshotOffer(group: GroupID(1), from: NodeID(1), term: Term(3), metadata: "m", totalBytes: 10)
            ])
        try stream.receive(chunk(0, "abcde"))
        #expect(try stream.sent() == [])
        sink.dones.elements[0](.done)
        #expect(try stream.sent() == [.ack(offset: 5)])
        try stream.receive(chunk(5, "fghij"), .end(totalBytes: 10))
        sink.dones.elements[1](.done)
        #expect(try stream.sent() == [.ack(offset: 10)])
        #expect(sink.calls.elements == [.append("abcde", 0), .append("fghij", 5), .finish])
        sink.dones.elements[2](.done)
        #expect(try stream.sent() == [.done])
        #expect(!stream.channel.isActive)
        #expect(sink.calls.elements.count == 3)
    }

    @Test func `while the delegate thinks or the sink writes, the socket is not read`() throws {
        var stream = try accept(.sample(delegate: delegate()))
        #expect(stream.isReading())
        try stream.receive(Self.offer)
        #expect(!stream.isReading())
        answers.elements[0](.accept(sink, resumeAt: 0))
        let before = stream.reads.count
        _ = try stream.sent()
        #expect(stream.reads.count == before + 1, "the read that was held back goes on")
        try stream.receive(chunk(0, "abcde"), chunk(5, "fghij"))
        #expect(!stream.isReading())
        sink.dones.elements[0](.done)
        _ = try stream.sent()
        #expect(!stream.isReading(), "the second chunk is being written")
        sink.dones.elements[1](.done)
        _ = try stream.sent()
        #expect(stream.isReading())
    }

    @Test func `a stream goes on where the receiver says, and nowhere else`() throws {
        var stream = try streaming(resumeAt: 4)
        try stream.receive(chunk(4, "efghij"))
        #expect(sink.calls.elements == [.append("efghij", 4)])
        var other = try accept(.sample(delegate: delegate()))
        try other.receive(Self.offer)
        answers.elements[1](.accept(sink, resumeAt: 4))
        _ = try other.sent()
        try other.receive(chunk(0, "abcdef"))
        #expect(!other.channel.isActive)
    }

    @Test func `a chunk that comes twice is written once`() throws {
        var stream = try streaming()
        try stream.receive(chunk(0, "abcde"), chunk(0, "abcde"))
        sink.dones.elements[0](.done)
        _ = try stream.sent()
        try stream.receive(chunk(0, "abcde"), chunk(5, "fghij"))
        #expect(sink.calls.elements == [.append("abcde", 0), .append("fghij", 5)])
        #expect(stream.channel.isActive)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var frames: [SnapshotFrame]
    }

    private static let corrupt: SnapshotFrame = {
        var chunk = SnapshotChunk(offset: 0, bytes: "abcde")
        chunk.checksum ^= 1
        return .chunk(chunk)
    }()

    @Test(arguments: [
        Bad(testDescription: "a wrong checksum", frames: [corrupt]),
        Bad(testDescription: "a gap", frames: [.chunk(SnapshotChunk(offset: 1, bytes: "b"))]),
        Bad(testDescription: "beyond the end", frames: [.chunk(SnapshotChunk(offset: 0, bytes: "abcdefghijk"))]),
        Bad(testDescription: "an end too early", frames: [.end(totalBytes: 10)]),
        Bad(testDescription: "an end of another size", frames: [.end(totalBytes: 0)]),
        Bad(testDescription: "a second offer", frames: [offer]),
        Bad(testDescription: "an answer", frames: [.ack(offset: 0)]),
    ])
    func `what breaks the rules ends the connection; the sink hears of it and nothing else`(bad: Bad) throws {
        var stream = try streaming()
        for frame in bad.frames where stream.channel.isActive { try stream.receive(frame) }
        #expect(!stream.channel.isActive)
        #expect(sink.calls.elements.count == 1)
        guard case .interrupted = sink.calls.elements.first else {
            Issue.record("the sink heard \(sink.calls.elements)")
            return
        }
        #expect(log.elements.contains { $0.level == .warning && $0.message == "snapshot stream broken" })
    }

    @Test(arguments: [SnapshotFrame.ack(offset: 0), .done, .end(totalBytes: 10), corrupt])
    func `nothing but an offer begins a stream`(first: SnapshotFrame) throws {
        var stream = try accept(.sample(delegate: delegate()))
        try stream.receive(first)
        #expect(!stream.channel.isActive)
        #expect(offers.elements.isEmpty)
    }

    @Test func `a delegate that refuses, or holds the snapshot already, says so`() throws {
        var refused = try accept(.sample(delegate: delegate()))
        try refused.receive(Self.offer)
        answers.elements[0](.refuse("an older term"))
        #expect(try refused.sent() == [.refused("an older term")])
        #expect(!refused.channel.isActive)
        var held = try accept(.sample(delegate: delegate()))
        try held.receive(Self.offer)
        answers.elements[1](.alreadyHeld)
        #expect(try held.sent() == [.done])
    }

    @Test func `a sink that fails is told to the sender, and hears nothing more`() throws {
        var stream = try streaming()
        try stream.receive(chunk(0, "abcde"), chunk(5, "fghij"))
        sink.dones.elements[0](.failed("the disk is full"))
        #expect(try stream.sent() == [.refused("the disk is full")])
        #expect(!stream.channel.isActive)
        #expect(sink.calls.elements == [.append("abcde", 0)])
    }

    @Test func `an answer to a connection that is gone is for nobody, but a sink in it is told`() throws {
        var stream = try accept(.sample(delegate: delegate()))
        try stream.receive(Self.offer)
        let loop = stream.channel.embeddedEventLoop
        _ = try stream.channel.finish()
        answers.elements[0](.accept(sink, resumeAt: 0))
        loop.run()
        #expect(sink.calls.elements == [.interrupted("the peer closed the connection")])
    }

    @Test func `a connection that ends in the middle interrupts the sink once, also while it writes`() throws {
        var stream = try streaming()
        try stream.receive(chunk(0, "abcde"))
        let loop = stream.channel.embeddedEventLoop
        _ = try stream.channel.finish()
        sink.dones.elements[0](.done)
        loop.run()
        #expect(sink.calls.elements == [.append("abcde", 0), .interrupted("the peer closed the connection")])
    }

    @Test func `a newer stream of the same peer waits for the end of the older`() throws {
        let shared = TransportContext.sample(delegate: delegate())
        var older = try accept(shared)
        try older.receive(Self.offer)
        answers.elements[0](.accept(sink, resumeAt: 0))
        _ = try older.sent()
        var newer = try accept(shared)
        try newer.receive(Self.offer)
        older.channel.embeddedEventLoop.run()
        #expect(!older.channel.isActive)
        #expect(sink.calls.elements == [.interrupted("this node closed the connection")])
        #expect(offers.elements.count == 2)
        #expect(newer.channel.isActive)
    }

    @Test func `a silent sender is left after the stall timeout; a busy sink shows the sender that it lives`() throws {
        var stream = try streaming()
        try stream.receive(chunk(0, "abcde"))
        stream.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(stream.channel.isActive)
        let signs = try stream.sent()
        #expect(signs.count == 60 && Set(signs) == [.ack(offset: 0)])
        sink.dones.elements[0](.done)
        _ = try stream.sent()
        stream.channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(stream.channel.isActive)
        stream.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!stream.channel.isActive)
        #expect(sink.calls.elements.last == .interrupted("the sender was silent for too long"))
    }

    @Test func `a cut ends the stream, and a dropped chunk too`() throws {
        for rule in [NetworkFaults.Rule(isCut: true), NetworkFaults.Rule(dropProbability: 1)] {
            let shared = TransportContext.sample(delegate: delegate())
            var stream = try accept(shared)
            try stream.receive(Self.offer)
            answers.elements.last?(.accept(Sink(), resumeAt: 0))
            _ = try stream.sent()
            var faults = NetworkFaults()
            faults.change(NodeID(1), .incoming) { $0 = rule }
            shared.faults.set(faults)
            try stream.receive(chunk(0, "abcde"))
            #expect(!stream.channel.isActive)
        }
    }

    @Test func `1,000 random byte strings after a hello for a snapshot, or after its offer, reach no sink`() throws {
        for seed in 0..<1000 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var stream = seed.isMultiple(of: 2) ? try accept(.sample(delegate: delegate())) : try streaming()
            for _ in 0..<3 where stream.channel.isActive {
                if random.next().isMultiple(of: 2) {
                    try stream.channel.receive(random.bytes(Int.random(in: 1...200, using: &random)))
                } else {
                    let kinds: [FrameKind] = [.snapshotOffer, .snapshotChunk, .snapshotEnd, .snapshotAck, .raft]
                    let kind = kinds[Int.random(in: 0..<kinds.count, using: &random)]
                    try stream.channel.receive(
                        stream.encoder.link(kind, random.bytes(Int.random(in: 0...60, using: &random))))
                }
            }
            _ = try stream.channel.finish(acceptAlreadyClosed: true)
        }
        #expect(!sink.calls.elements.contains { if case .append = $0 { true } else { false } })
    }
}
