import ByteCoding
import NIOCore
import NIOEmbedded
import Raft
import Testing

@testable import PeerTransport

@Suite("Faults on purpose: on links", .timeLimit(.minutes(5)))
struct FaultyLinkTests {
    private let delegate = RecordingDelegate()

    // MARK: Both sides, on loopback

    @Test(arguments: [NetworkFaults.Direction.outgoing, .incoming])
    func `dropped messages never come, and when it is healed all come again`(
        direction: NetworkFaults.Direction
    ) async throws {
        try await withPair { one, two in
            let (node, peer) = direction == .outgoing ? (one, 2 as UInt64) : (two, 1)
            node.fail(peer, direction) { $0.dropProbability = 1 }
            #expect(one.transport.send([.heartbeat(1), .append(1, bytes: 100), .forward(1)]) == [])
            // Both sides have dealt with the three when they are counted.
            while node.statistics(of: peer)?.droppedByFaults != 3 { try await breathe() }
            node.heal()
            one.transport.send([.heartbeat(2)])
            try await #expect(two.delegate.messages(count: 1) == [.heartbeat(2)])
        }
    }

    @Test(arguments: [NetworkFaults.Direction.outgoing, .incoming])
    func `doubled messages come twice, in order`(direction: NetworkFaults.Direction) async throws {
        try await withPair { one, two in
            let (node, peer) = direction == .outgoing ? (one, 2 as UInt64) : (two, 1)
            node.fail(peer, direction) { $0.duplicateProbability = 1 }
            let sent: [PeerMessage] = (1...50).map { .append($0, bytes: 100) }
            one.transport.send(sent)
            try await #expect(two.delegate.messages(count: 100) == sent.flatMap { [$0, $0] })
        }
    }

    @Test(arguments: [NetworkFaults.Direction.outgoing, .incoming])
    func `delayed messages come late, in order, also those sent after healing`(
        direction: NetworkFaults.Direction
    ) async throws {
        try await withPair { one, two in
            let (node, peer) = direction == .outgoing ? (one, 2 as UInt64) : (two, 1)
            node.fail(peer, direction) {
                $0.delay = .milliseconds(60)
                $0.jitter = .milliseconds(20)
            }
            let clock = ContinuousClock()
            let start = clock.now
            let sent: [PeerMessage] = (1...50).map { .append($0, bytes: 100) }
            one.transport.send(Array(sent.prefix(25)))
            one.transport.send(Array(sent.suffix(25)))
            try await #expect(two.delegate.messages(count: 50) == sent)
            #expect(clock.now - start >= .milliseconds(60))
            node.heal()
            one.transport.send([.append(51, bytes: 10)])
            try await #expect(two.delegate.messages(count: 51).last == .append(51, bytes: 10))
        }
    }

    @Test func `a cut leaves the connections open, and what is sent meanwhile is gone`() async throws {
        try await withPair { one, two in
            try await two.delegate.connected(1, .accepted)
            one.fail(2) { $0.isCut = true }
            #expect(one.transport.send((1...100).map { .append($0, bytes: 100) }) == [])
            while one.statistics(of: 2)?.droppedByFaults != 100 { try await breathe() }
            one.heal()
            one.transport.send([.heartbeat(1)])
            try await #expect(two.delegate.messages(count: 1) == [.heartbeat(1)])
            #expect(one.statistics(of: 2)?.connects == 1)
        }
    }

    @Test func `while it is cut nobody connects; once healed, both do`() async throws {
        var limits = PeerTransportLimits.quick
        limits.handshakeTimeout = .milliseconds(50)
        let one = TestNode(.sample(1), limits: limits)
        let two = TestNode(.sample(2), limits: limits)
        try await withNodes(one, two) {
            one.fail(2) { $0.isCut = true }
            let oneAddress = try await one.start()
            let twoAddress = try await two.start(peers: [1: oneAddress])
            one.setPeers([2: twoAddress])
            // Node 2 dials in vain: nothing answers its hello.
            try await two.log.first { $0.metadata["reason", default: ""].contains("handshake") }
            #expect(one.statistics(of: 2)?.lastFailure == "cut by fault injection")
            #expect(one.delegate.events.elements.isEmpty && two.delegate.events.elements.isEmpty)
            one.heal()
            try await one.delegate.connected(2, .dialled)
            try await two.delegate.connected(1, .dialled)
        }
    }

    @Test func `a peer that ends behind a cut is silent, not closed`() async throws {
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await one.delegate.connected(2, .dialled)
            try await two.delegate.connected(1, .accepted)
            two.fail(1) { $0.isCut = true }
            await one.transport.stop()
            try await #expect(two.delegate.disconnected(1, .accepted) == .silent)
        }
    }

    @Test func `a cut in the middle of a large message loses others, not the stream`() async throws {
        try await withPair { one, two in
            let large = PeerMessage.append(1, bytes: 16 << 20)
            one.transport.send([large, .append(2, bytes: 10)])
            while (one.statistics(of: 2)?.sentBytes ?? 0) < 1 << 20 { try await breathe() }
            one.fail(2, .outgoing) { $0.isCut = true }
            one.heal()
            // What is sent while the loop still obeys the cut is lost with it.
            while two.delegate.messages.count < 2 {
                one.transport.send([.append(3, bytes: 10)])
                try await Task.sleep(for: .milliseconds(10))
            }
            let arrived = two.delegate.messages
            #expect(arrived.first == large)
            #expect(arrived.contains(.append(3, bytes: 10)) || arrived.contains(.append(2, bytes: 10)))
            #expect(one.statistics(of: 2)?.connects == 1)
        }
    }

    // MARK: The dialling side alone

    private func dialled(_ shared: TransportContext, _ outbox: Outbox) throws -> EmbeddedChannel {
        let handler = OutboundHandler(wanted: NodeID(2), shared: shared, outbox: outbox) { _ in }
        let channel = try EmbeddedChannel.connected(handler)
        let welcome = Introduction(identity: .sample(2), maxFrameBytes: 256 << 10, maxMessageBytes: 80 << 20)
        try channel.receive(HandshakeRecord(welcome: welcome).encode())
        _ = try channel.sent()
        return channel
    }

    @Test(arguments: [NetworkFaults.Direction.outgoing, .incoming])
    func `a cut link outlasts the link timeout and sends no pings`(direction: NetworkFaults.Direction) throws {
        let shared = TransportContext.sample(1, delegate: delegate)
        let outbox = Outbox(limits: shared.limits)
        let channel = try dialled(shared, outbox)
        var faults = NetworkFaults()
        faults.change(NodeID(2), direction) { $0.isCut = true }
        shared.faults.set(faults)
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(channel.isActive)
        #expect(try channel.sent().isEmpty)
        shared.faults.set(NetworkFaults())
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try frames(in: channel.sent()).map(\.header.kind) == [.ping])
        // Nobody answers: now the timeout counts again.
        channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!channel.isActive)
    }

    @Test func `what was queued when the cut began does not leave`() throws {
        let shared = TransportContext.sample(1, delegate: delegate)
        let outbox = Outbox(limits: shared.limits)
        let channel = try dialled(shared, outbox)
        var refused: [PeerMessage] = []
        _ = outbox.offer([.heartbeat(1), .append(1, bytes: 10)], for: NodeID(2), refused: &refused)
        var faults = NetworkFaults()
        faults.change(NodeID(2), .outgoing) { $0.isCut = true }
        shared.faults.set(faults)
        channel.pipeline.fireUserInboundEventTriggered(LinkEvent.outboxFilled)
        #expect(try channel.sent().isEmpty)
        shared.faults.set(NetworkFaults())
        channel.pipeline.fireUserInboundEventTriggered(LinkEvent.outboxFilled)
        #expect(try channel.sent().isEmpty)
    }

    // MARK: The accepting side alone

    private func accepted(_ shared: TransportContext) throws -> EmbeddedChannel {
        let channel = try EmbeddedChannel.connected(InboundHandler(shared: shared) { _ in })
        let introduction = Introduction(identity: .sample(1), maxFrameBytes: 256 << 10, maxMessageBytes: 80 << 20)
        try channel.receive(HandshakeRecord(hello: Hello(wanted: NodeID(2), introduction: introduction)).encode())
        var encoder = FrameEncoder.sample()
        try channel.receive(encoder.stream([.heartbeat(1)]))
        _ = try channel.sent()
        return channel
    }

    @Test func `behind a cut nothing is delivered, no ping is answered, and the connection stays`() throws {
        let shared = TransportContext.sample(delegate: delegate)
        let channel = try accepted(shared)
        var faults = NetworkFaults()
        faults.change(NodeID(1), .incoming) { $0.isCut = true }
        shared.faults.set(faults)
        var encoder = FrameEncoder.sample()
        try channel.receive(encoder.stream([.heartbeat(2)]) + encoder.link(.ping, Bytes([1, 2, 3, 4, 5, 6, 7, 8])))
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(delegate.messages == [.heartbeat(1)])
        #expect(try channel.sent().isEmpty)
        #expect(channel.isActive)
        shared.faults.set(NetworkFaults())
        try channel.receive(encoder.stream([.heartbeat(3)]))
        #expect(delegate.messages == [.heartbeat(1), .heartbeat(3)])
    }

    @Test func `what a delay holds back is lost with its connection`() throws {
        let shared = TransportContext.sample(delegate: delegate)
        let channel = try accepted(shared)
        var faults = NetworkFaults()
        faults.change(NodeID(1), .incoming) { $0.delay = .milliseconds(100) }
        shared.faults.set(faults)
        var encoder = FrameEncoder.sample()
        try channel.receive(encoder.stream([.heartbeat(2)]))
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(99))
        #expect(delegate.messages == [.heartbeat(1)])
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(delegate.messages == [.heartbeat(1), .heartbeat(2)])
        try channel.receive(encoder.stream([.heartbeat(3)]))
        let loop = channel.embeddedEventLoop
        _ = try channel.finish()
        loop.advanceTime(by: .seconds(1))
        #expect(delegate.messages == [.heartbeat(1), .heartbeat(2)])
    }
}
