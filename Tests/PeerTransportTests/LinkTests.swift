import ByteCoding
import Logging
import NIOCore
import NIOPosix
import Raft
import Testing

@testable import PeerTransport

@Suite("Links over their life: loss, return, refusal, overload", .timeLimit(.minutes(5)))
struct LinkTests {
    @Test func `when the peer restarts on the same port the link comes back by itself`() async throws {
        let one = TestNode(.sample(1))
        let first = TestNode(.sample(2))
        let second = TestNode(.sample(2))
        try await withNodes(one, first, second) {
            let address = try await first.start()
            _ = try await one.start(peers: [2: address])
            try await one.delegate.connected(2, .dialled)
            try await first.delegate.connected(1, .accepted)
            await first.transport.stop()
            try await #expect(one.delegate.disconnected(2, .dialled) == .closedByPeer)
            try await #expect(first.delegate.disconnected(1, .accepted) == .stopped)
            _ = try await second.start(on: address)
            try await one.delegate.connected(2, .dialled, times: 2)
            one.transport.send([.heartbeat(1)])
            try await #expect(second.delegate.messages(count: 1) == [.heartbeat(1)])
            let statistics = try #require(one.statistics(of: 2))
            #expect(statistics.connects == 2)
            #expect(statistics.isConnected)
        }
    }

    @Test func `when the dialling process stops the other side hears of an orderly end`() async throws {
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await two.delegate.connected(1, .accepted)
            await one.transport.stop()
            try await #expect(two.delegate.disconnected(1, .accepted) == .closedByPeer)
            #expect(one.delegate.events.elements.last == .disconnected(NodeID(2), .dialled, .stopped))
        }
    }

    @Test func `a peer that dials is dialled at once, however long the pause was to be`() async throws {
        // With a first pause of an hour nothing but the peer's own connection brings the link up.
        var patient = PeerTransportLimits.quick
        patient.reconnectMin = .seconds(3600)
        patient.reconnectMax = .seconds(3600)
        let two = TestNode(.sample(2))
        let one = TestNode(.sample(1), limits: patient)
        try await withNodes(one, two) {
            let twoAddress = try await freeAddress()
            let oneAddress = try await one.start(peers: [2: twoAddress])
            try await one.log.first { $0.message == "cannot reach a peer, trying again" }
            _ = try await two.start(on: twoAddress, peers: [1: oneAddress])
            try await one.delegate.connected(2, .dialled)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var dialler: PeerIdentity
        var acceptor: PeerIdentity
        var sentence: String
        var testDescription: String { sentence }
    }

    @Test(arguments: [
        Refusal(
            dialler: .sample(1, cluster: 8, name: "red"), acceptor: .sample(2, cluster: 9, name: "blue"),
            sentence: "node 2 belongs to cluster \"blue\", node 1 to cluster \"red\""),
        Refusal(dialler: .sample(1), acceptor: .sample(3), sentence: "this is node 3, not node 2"),
    ])
    func `strangers refuse each other, and both say why`(refusal: Refusal) async throws {
        let one = TestNode(refusal.dialler)
        let two = TestNode(refusal.acceptor)
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await one.log.warning(refusal.sentence)
            try await two.log.warning(refusal.sentence)
            #expect(one.delegate.events.elements.isEmpty)
            #expect(two.delegate.events.elements.isEmpty)
            #expect(one.statistics(of: 2)?.refusal?.contains(refusal.sentence) == true)
            #expect(one.statistics(of: 2)?.isConnected == false)
        }
    }

    @Test func `a node that lost its disk is refused by those it dials, and both say why`() async throws {
        let sentence = "node 1 is known with another data directory: give the new one a new node id"
        let one = TestNode(.sample(1, incarnation: 5))
        let two = TestNode(.sample(2)) {
            $0.incarnation == PeerIdentity.sample(1).incarnation ? .welcome : .anotherDirectory(sentence)
        }
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await one.log.warning(sentence)
            try await two.log.warning(sentence)
            try await one.delegate.events.first { $0 == .anotherDirectory(at: NodeID(2)) }
        }
    }

    @Test func `a node that lost its disk is refused by those who dial it, and both say why`() async throws {
        let sentence = "node 2 is known with another data directory: give the new one a new node id"
        let one = TestNode(.sample(1)) {
            $0.incarnation == PeerIdentity.sample(2).incarnation ? .welcome : .refused(sentence)
        }
        let two = TestNode(.sample(2, incarnation: 5))
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await one.log.warning(sentence)
            try await two.log.warning(sentence)
            #expect(two.delegate.events.elements.isEmpty)
        }
    }

    @Test func `one refusal that is over leaves no trace`() async throws {
        let isWelcome = Recorder<Bool>()
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2)) { _ in isWelcome.elements.isEmpty ? .refused("not yet") : .welcome }
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await one.log.warning("not yet")
            isWelcome.append(true)
            try await one.delegate.connected(2, .dialled)
            #expect(one.statistics(of: 2)?.refusal == nil)
        }
    }

    @Test func `a heartbeat overtakes megabytes that a slow reader has not taken`() async throws {
        let introduction = Introduction(identity: .sample(2), maxFrameBytes: 64 << 10, maxMessageBytes: 80 << 20)
        let peer = try await RawPeer.start(answer: HandshakeRecord(welcome: introduction).encode())
        let one = TestNode(.sample(1))
        try await withNodes(one) {
            _ = try await one.start(peers: [2: peer.address])
            try await one.delegate.connected(2, .dialled)
            try await peer.setReading(false)
            let bulk: [PeerMessage] = (1...256).map { .append($0, bytes: 64 << 10) }
            #expect(one.transport.send(bulk) == [])
            #expect(one.transport.send([.heartbeat(99)]) == [])
            #expect(try #require(one.statistics(of: 2)).queuedMessages > 128)
            try await peer.setReading(true)
            // The hello, then frames; the heartbeat must come long before the 16 MiB are over.
            let hello = HandshakeRecord(
                hello: Hello(
                    wanted: NodeID(2),
                    introduction: Introduction(
                        identity: .sample(1), maxFrameBytes: 256 << 10, maxMessageBytes: 80 << 20))
            ).encode().count
            let total = 256 * (64 << 10)
            let stream = try await peer.received(moreThan: total)
            let arrived = try messages(in: stream.slice(hello..<stream.count))
            let place = try #require(arrived.firstIndex(of: .heartbeat(99)))
            #expect(place < 128, "\(place) appends of 64 KiB came before the heartbeat")
            #expect(arrived.filter(\.isBulk) == Array(bulk.prefix(arrived.count - 1)))
        }
        try await peer.stop()
    }

    @Test func `what a full queue refuses comes back and is counted; the rest arrives without a gap`() async throws {
        let introduction = Introduction(identity: .sample(2), maxFrameBytes: 64 << 10, maxMessageBytes: 80 << 20)
        let peer = try await RawPeer.start(answer: HandshakeRecord(welcome: introduction).encode())
        var limits = PeerTransportLimits.quick
        limits.maxQueuedBytes = 1 << 20
        let one = TestNode(.sample(1), limits: limits)
        try await withNodes(one) {
            _ = try await one.start(peers: [2: peer.address])
            try await one.delegate.connected(2, .dialled)
            try await peer.setReading(false)
            let bulk: [PeerMessage] = (1...64).map { .append($0, bytes: 64 << 10) }
            let refused = one.transport.send(bulk)
            #expect(refused.count >= 40)
            #expect(refused == Array(bulk.suffix(refused.count)))
            #expect(one.transport.send([.heartbeat(1)]) == [])
            let statistics = try #require(one.statistics(of: 2))
            #expect(statistics.droppedByLimit == UInt64(refused.count))
            #expect(statistics.queuedBytes <= 1 << 20)
            try await peer.setReading(true)
            let taken = bulk.count - refused.count
            _ = try await peer.received(moreThan: taken * (64 << 10))
        }
        try await peer.stop()
    }

    @Test func `what answers but is no peer is tried again, and said once`() async throws {
        let peer = try await RawPeer.start(answer: "-ERR unknown command\r\n")
        let one = TestNode(.sample(1))
        try await withNodes(one) {
            _ = try await one.start(peers: [2: peer.address])
            let lines = try await one.log.wait { lines in
                lines.count { $0.metadata["reason"] == "what came is no handshake of a Roost peer" } >= 3
            }
            #expect(lines.map(\.level) == [.info, .debug, .debug])
        }
        try await peer.stop()
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "*1\r\n$4\r\nPING\r\n"])
    func `noise on the peer port is closed, and real peers don't notice`(noise: String) async throws {
        try await withPair { one, two in
            let address = try #require(one.statistics(of: 2)?.address)
            let stranger = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: address.host, port: address.port).get()
            try await stranger.writeAndFlush(stranger.allocator.buffer(Bytes(noise)))
            try await stranger.closeFuture.get()
            one.transport.send([.heartbeat(1)])
            try await #expect(two.delegate.messages(count: 1) == [.heartbeat(1)])
            try await two.log.first { $0.level == .debug && $0.message == "peer connection closed" }
        }
    }

    /// An address on which nobody listens now.
    private func freeAddress() async throws -> PeerAddress {
        let scout = TestNode(.sample(99))
        let address = try await scout.start()
        await scout.transport.stop()
        return address
    }
}
