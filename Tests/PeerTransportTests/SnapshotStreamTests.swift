import ByteCoding
import Raft
import Testing

@testable import PeerTransport

@Suite("Snapshots over loopback", .timeLimit(.minutes(5)))
struct SnapshotStreamTests {
    private let ends = Recorder<SnapshotTransferEnd>()
    private let progress = Recorder<SnapshotProgress>()

    @Test(arguments: [0, 1, 262_091, 262_092, 262_093, 3_000_000] as [UInt64])
    func `a snapshot arrives whole`(bytes: UInt64) async throws {
        let source = TestSource(bytes: bytes)
        let sink = TestSink(source)
        let offers = Recorder<SnapshotOffer>()
        try await withPair(receiver: receiver(into: sink, offers: offers)) { one, _ in
            one.sendSnapshot(source, ends: ends, progress: progress)
            try await #expect(ends.first { _ in true } == .delivered)
            #expect(
                offers.elements == [
                    SnapshotOffer(
                        group: GroupID(1), from: NodeID(1), term: Term(3), metadata: "snapshot 1", totalBytes: bytes)
                ])
            #expect(sink.events.elements.last == .finished)
            #expect(sink.events.elements.wrong == [])
            #expect(sink.events.elements.appendedBytes == Int(bytes))
            #expect(progress.elements.last == SnapshotProgress(transferredBytes: bytes, totalBytes: bytes))
            #expect(progress.elements.map(\.transferredBytes) == progress.elements.map(\.transferredBytes).sorted())
            #expect(one.statistics(of: 2)?.sendingSnapshot == nil)
        }
    }

    @Test func `64 MiB, a receiver that restarts in the middle, and heartbeats all the time`() async throws {
        let source = TestSource(bytes: 64 << 20)
        let sink = TestSink(source, sticksAt: 32 << 20)
        let first = TestNode(.sample(2), delegate: receiver(into: sink))
        let second = TestNode(.sample(2), delegate: receiver(into: sink))
        let one = TestNode(.sample(1))
        try await withNodes(one, first, second) {
            let address = try await first.start()
            _ = try await one.start(peers: [2: address])
            try await one.delegate.connected(2, .dialled)
            one.sendSnapshot(source, ends: ends, progress: progress)
            // Each heartbeat is sent when the one before has come: first while the stream flows, then while it is stuck
            // with a window full of bytes under way.
            var round: UInt64 = 0
            while !sink.isWaiting || round < 20 {
                round += 1
                one.transport.send([.heartbeat(round)])
                _ = try await first.delegate.messages(count: Int(round))
            }
            #expect(sink.offset < source.totalBytes)
            await first.transport.stop()
            #expect(ends.elements == [])
            sink.release()
            _ = try await second.start(on: address)
            try await #expect(ends.first { _ in true } == .delivered)
            #expect(sink.events.elements.wrong == [])
            #expect(sink.events.elements.interruptions == 1)
            // Nothing was sent a second time.
            #expect(sink.events.elements.appendedBytes == Int(source.totalBytes))
            #expect(sink.events.elements.last == .finished)
        }
    }

    @Test func `a slow disk holds the sender back to the window`() async throws {
        var limits = PeerTransportLimits.quick
        limits.snapshotWindowBytes = 1 << 20
        limits.snapshotChunkBytes = 64 << 10
        let source = TestSource(bytes: 16 << 20)
        let reads = Recorder<UInt64>()
        let sink = TestSink(source, isStuck: true)
        try await withPair(limits: limits, receiver: receiver(into: sink)) { one, two in
            let counted = CountingSource(source: source, reads: reads)
            one.transport.sendSnapshot(to: NodeID(2), group: GroupID(1), term: Term(3), source: counted) {
                [ends] in ends.append($0)
            }
            // Messages go on as ever; by the time the last has come the stream has had its chance.
            for round in 1...50 as ClosedRange<UInt64> {
                one.transport.send([.heartbeat(round)])
                _ = try await two.delegate.messages(count: Int(round))
            }
            let readBytes = reads.elements.reduce(0, +)
            #expect(readBytes <= 1 << 20 + 64 << 10, "\(readBytes) bytes were read for a stuck receiver")
            #expect(
                two.statistics(of: 1)?.receivingSnapshot == SnapshotProgress(transferredBytes: 0, totalBytes: 16 << 20))
            sink.release()
            try await #expect(ends.first { _ in true } == .delivered)
            #expect(sink.events.elements.wrong == [])
        }
    }

    /// Counts the bytes that are read.
    private final class CountingSource: SnapshotSource {
        let source: TestSource
        let reads: Recorder<UInt64>
        var metadata: Bytes { source.metadata }
        var totalBytes: UInt64 { source.totalBytes }

        init(source: TestSource, reads: Recorder<UInt64>) {
            self.source = source
            self.reads = reads
        }

        func read(offset: UInt64, count: Int) throws(SnapshotSourceError) -> Bytes {
            reads.append(UInt64(count))
            return try source.read(offset: offset, count: count)
        }
    }

    @Test func `a receiver that refuses, a sink that fails and a source that fails end the transfer`() async throws {
        let source = TestSource(bytes: 1 << 20)
        let refusing = RecordingDelegate(offered: { _, answer in answer(.refuse("an older term")) })
        try await withPair(receiver: refusing) { one, _ in
            one.sendSnapshot(source, ends: ends)
            try await #expect(ends.first { _ in true } == .refused("an older term"))
        }
        let large = TestSource(bytes: 16 << 20)
        let sink = TestSink(large)
        sink.fail("the disk is full")
        let offers = Recorder<SnapshotOffer>()
        try await withPair(receiver: receiver(into: sink, offers: offers)) { one, _ in
            one.sendSnapshot(large, ends: ends)
            try await #expect(ends.wait { $0.count == 2 }.last == .refused("the disk is full"))
            // The word arrived though a window full of chunks was under way against it.
            #expect(offers.elements.count == 1)
        }
        let broken = TestSource(bytes: 1 << 20, failsAt: 600_000)
        let other = TestSink(broken)
        try await withPair(receiver: receiver(into: other)) { one, _ in
            one.sendSnapshot(broken, ends: ends)
            try await #expect(ends.wait { $0.count == 3 }.last == .failed("the file is gone"))
            try await other.events.wait { $0.interruptions == 1 }
        }
    }

    @Test func `a snapshot that the receiver holds already is delivered without a byte`() async throws {
        let holding = RecordingDelegate(offered: { _, answer in answer(.alreadyHeld) })
        try await withPair(receiver: holding) { one, _ in
            one.sendSnapshot(TestSource(bytes: 1 << 20, failsAt: 0), ends: ends)
            try await #expect(ends.first { _ in true } == .delivered)
        }
    }

    @Test func `there is one transfer to a peer at a time, and the next may begin when it has ended`() async throws {
        let source = TestSource(bytes: 1 << 20)
        let sink = TestSink(source, isStuck: true)
        let offers = Recorder<SnapshotOffer>()
        try await withPair(receiver: receiver(into: sink, offers: offers)) { one, _ in
            one.sendSnapshot(source, ends: ends)
            try await offers.first { _ in true }
            let second = Recorder<SnapshotTransferEnd>()
            one.sendSnapshot(source, ends: second)
            try await #expect(second.first { _ in true } == .failed("a snapshot is on its way to node 2 already"))
            #expect(ends.elements == [])
            sink.release()
            try await #expect(ends.first { _ in true } == .delivered)
            one.sendSnapshot(source, ends: second)
            try await #expect(second.wait { $0.count == 2 }.last == .delivered)
        }
    }

    @Test func `a transfer that is cancelled, whose peer leaves or whose node stops ends so, and the sink is told`()
        async throws
    {
        let source = TestSource(bytes: 1 << 20)
        let endings: [@Sendable (TestNode, SnapshotTransfer) async -> Void] = [
            { _, transfer in transfer.cancel() },
            { node, _ in node.setPeers([:]) },
            { node, _ in await node.transport.stop() },
        ]
        for ending in endings {
            let ends = Recorder<SnapshotTransferEnd>()
            let sink = TestSink(source, isStuck: true)
            let offers = Recorder<SnapshotOffer>()
            try await withPair(receiver: receiver(into: sink, offers: offers)) { one, _ in
                let transfer = one.sendSnapshot(source, ends: ends)
                try await offers.first { _ in true }
                await ending(one, transfer)
                try await #expect(ends.first { _ in true } == .cancelled)
                // While its sink is stuck the receiver reads nothing, so it sees the end only when the sink goes on.
                sink.release()
                try await sink.events.wait { $0.interruptions == 1 }
            }
            #expect(ends.elements.count == 1)
        }
    }

    @Test func `a peer that is no peer gets nothing`() async throws {
        let one = TestNode(.sample(1))
        try await withNodes(one) {
            _ = try await one.start()
            one.sendSnapshot(TestSource(bytes: 10), to: 7, ends: ends)
            try await #expect(ends.first { _ in true } == .failed("node 7 is no peer of this node"))
        }
        one.sendSnapshot(TestSource(bytes: 10), to: 7, ends: ends)
        try await #expect(ends.wait { $0.count == 2 }.last == .failed("this node stops"))
    }

    @Test func `a transfer without progress fails after its timeout`() async throws {
        var limits = PeerTransportLimits.quick
        limits.snapshotTimeout = .milliseconds(200)
        let one = TestNode(.sample(1), limits: limits)
        try await withNodes(one) {
            _ = try await one.start(peers: [2: TestNode.nowhere])
            one.sendSnapshot(TestSource(bytes: 10), ends: ends)
            try await #expect(
                ends.first { _ in true } == .failed("no progress for 0.2 seconds: Connection refused"))
        }
    }

    @Test func `a receiver that hangs is left after the stall timeout and dialled again`() async throws {
        var limits = PeerTransportLimits.quick
        limits.snapshotStallTimeout = .milliseconds(300)
        let source = TestSource(bytes: 1 << 20)
        let stuck = TestSink(source, isStuck: true)
        let good = TestSink(source)
        let offers = Recorder<SnapshotOffer>()
        let delegate = RecordingDelegate(offered: { offer, answer in
            offers.append(offer)
            guard offers.elements.count > 1 else { return answer(.accept(stuck, resumeAt: 0)) }
            good.whenIdle { answer(.accept(good, resumeAt: $0)) }
        })
        try await withPair(limits: limits, receiver: delegate) { one, _ in
            one.sendSnapshot(source, ends: ends)
            try await #expect(ends.first { _ in true } == .delivered)
            #expect(offers.elements.count >= 2)
            #expect(good.events.elements.wrong == [])
            #expect(stuck.events.elements.interruptions == 1)
        }
    }

    struct Liar: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var says: [SnapshotFrame]
    }

    @Test(arguments: [
        Liar(testDescription: "byte 11 of a snapshot, which it cannot be", says: [.accept(offset: 11)]),
        Liar(
            testDescription: "byte 12 of a snapshot, which it cannot be", says: [.accept(offset: 0), .ack(offset: 12)]),
        Liar(testDescription: "a frame of kind snapshotAck in the wrong place", says: [.ack(offset: 0)]),
        Liar(
            testDescription: "a frame of kind snapshotDone in the wrong place", says: [.accept(offset: 0), .done]),
        Liar(testDescription: "a frame of kind snapshotEnd in the wrong place", says: [.end(totalBytes: 10)]),
    ])
    func `a receiver that says what cannot be is left, tried again, and given up in time`(liar: Liar) async throws {
        let introduction = Introduction(identity: .sample(2), maxFrameBytes: 64 << 10, maxMessageBytes: 80 << 20)
        var encoder = FrameEncoder.sample(from: 2, to: 1)
        var answer = HandshakeRecord(welcome: introduction).encode()
        for frame in liar.says { answer = answer + encoder.link(frame.kind, frame.encode()) }
        let peer = try await RawPeer.start(answer: answer)
        var limits = PeerTransportLimits.quick
        limits.snapshotTimeout = .seconds(2)
        // The link has the same liar on the other side; it need not try so often.
        limits.reconnectMin = .milliseconds(40)
        let one = TestNode(.sample(1), limits: limits)
        try await withNodes(one) {
            _ = try await one.start(peers: [2: peer.address])
            one.sendSnapshot(TestSource(bytes: 10), ends: ends)
            try await #expect(
                ends.first { _ in true } == .failed("no progress for 2.0 seconds: \(liar.testDescription)"))
        }
        try await peer.stop()
    }

    @Test func `a stream keeps below its rate`() async throws {
        var limits = PeerTransportLimits.quick
        limits.snapshotBytesPerSecond = 4 << 20
        let source = TestSource(bytes: 2 << 20)
        let sink = TestSink(source)
        try await withPair(limits: limits, receiver: receiver(into: sink)) { one, _ in
            let start = ContinuousClock.now
            one.sendSnapshot(source, ends: ends)
            try await #expect(ends.first { _ in true } == .delivered)
            // The last of the eight pieces goes 7/16 of a second after the first.
            #expect(ContinuousClock.now - start >= .milliseconds(430))
        }
    }

    @Test(arguments: [NetworkFaults.Direction.outgoing, .incoming])
    func `chunks that are dropped, doubled and delayed on purpose cost time, not bytes`(
        direction: NetworkFaults.Direction
    ) async throws {
        var limits = PeerTransportLimits.quick
        limits.snapshotChunkBytes = 16 << 10
        // What is lost on the way is noticed by nothing else. One that ends too early costs time, too.
        limits.pingInterval = .milliseconds(100)
        limits.snapshotStallTimeout = .milliseconds(250)
        limits.linkTimeout = .milliseconds(500)
        limits.snapshotFinishTimeout = .seconds(1)
        let source = TestSource(bytes: 384 << 10)
        let sink = TestSink(source)
        try await withPair(limits: limits, receiver: receiver(into: sink)) { one, two in
            let (node, peer) = direction == .outgoing ? (one, 2 as UInt64) : (two, 1)
            node.fail(peer, direction) {
                $0.dropProbability = 0.1
                $0.duplicateProbability = 0.2
                $0.delay = .milliseconds(1)
                $0.jitter = .milliseconds(1)
            }
            one.sendSnapshot(source, ends: ends)
            try await #expect(ends.first { _ in true } == .delivered)
            #expect(sink.events.elements.wrong == [])
            #expect(sink.events.elements.interruptions > 0)
            #expect(sink.events.elements.appendedBytes == Int(source.totalBytes))
            let statistics = try #require(node.statistics(of: peer))
            #expect(statistics.droppedByFaults > 0)
        }
    }

    @Test func `a transfer goes on by itself when a cut is healed`() async throws {
        let source = TestSource(bytes: 8 << 20)
        let sink = TestSink(source, sticksAt: 2 << 20)
        var limits = PeerTransportLimits.quick
        limits.pingInterval = .milliseconds(20)
        try await withPair(limits: limits, receiver: receiver(into: sink)) { one, _ in
            one.sendSnapshot(source, ends: ends, progress: progress)
            try await progress.first { $0.transferredBytes >= 2 << 20 }
            one.fail(2) { $0.isCut = true }
            try await one.log.first { $0.message == "snapshot interrupted, going on soon" }
            try await one.log.first { $0.metadata["reason"] == "cut by fault injection" }
            #expect(ends.elements == [])
            one.heal()
            sink.release()
            try await #expect(ends.first { _ in true } == .delivered)
            #expect(sink.events.elements.appendedBytes == Int(source.totalBytes))
        }
    }

    @Test func `metadata that no offer holds is an error of the source`() async throws {
        let source = TestSource(metadata: Bytes([UInt8](repeating: 1, count: 65_537)), bytes: 10)
        try await withPair(receiver: receiver(into: TestSink(source))) { one, _ in
            one.sendSnapshot(source, ends: ends)
            try await #expect(
                ends.first { _ in true } == .failed("metadata of 65537 bytes are more than an offer holds"))
        }
    }

    @Test func `a removed node that is sent a snapshot, or sends one, learns of it`() async throws {
        let sentence = "node 1 was removed from this cluster"
        let removing = RecordingDelegate(admit: { _ in .removed(sentence) })
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2), delegate: removing)
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            one.sendSnapshot(TestSource(bytes: 10), ends: ends)
            try await #expect(ends.first { _ in true } == .refused(sentence))
            try await one.delegate.events.first { $0 == .removed(by: NodeID(2), sentence) }
        }
    }
}
