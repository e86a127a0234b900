import ByteCoding
import PeerTransport
import Raft
import Testing

@Suite("Two transports on loopback", .timeLimit(.minutes(5)))
struct LoopbackTests {
    @Test func `both nodes learn who the other is`() async throws {
        try await withPair { one, two in
            try await two.delegate.connected(1, .accepted)
            #expect(one.delegate.events.elements.first == .connected(.sample(2), .dialled))
            #expect(two.delegate.events.elements.first == .connected(.sample(1), .accepted))
            let statistics = try #require(one.statistics(of: 2))
            #expect(statistics.isConnected)
            #expect(!statistics.isAccepted)
            #expect(statistics.identity == .sample(2))
            #expect(statistics.connects == 1)
            let roundTrip = try #require(statistics.roundTrip)
            #expect(roundTrip > .zero)
            #expect(two.statistics(of: 1)?.isAccepted == true)
            #expect(two.transport.statistics().pendingHandshakes == 0)
        }
    }

    @Test func `every kind of message arrives as it was sent`() async throws {
        try await withPair { one, two in
            let messages = PeerMessage.everyKind()
            #expect(one.transport.send(messages) == [])
            let arrived = try await two.delegate.messages(count: messages.count)
            #expect(Set(arrived) == Set(messages))
            #expect(arrived.count == messages.count)
        }
    }

    @Test func `messages keep their order within a lane`() async throws {
        try await withPair { one, two in
            let rounds: [UInt64] = Array(1...2000)
            for start in stride(from: 0, to: rounds.count, by: 50) {
                let part = rounds[start..<start + 50]
                one.transport.send(part.flatMap { [.heartbeat($0), .append($0, bytes: 500), .forward($0)] })
            }
            let arrived = try await two.delegate.messages(count: 3 * rounds.count)
            #expect(arrived.filter { !$0.isBulk } == rounds.map { .heartbeat($0) })
            #expect(arrived.filter { $0.isBulk } == rounds.flatMap { [.append($0, bytes: 500), .forward($0)] })
        }
    }

    @Test func `both directions work at once, each over the connection of its sender`() async throws {
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            // Node 1 needs node 2's address and the other way round, so node 1 listens, leaves and listens there again.
            let scout = TestNode(.sample(1))
            let oneAddress = try await scout.start()
            await scout.transport.stop()
            let twoAddress = try await two.start(peers: [1: oneAddress])
            _ = try await one.start(on: oneAddress, peers: [1: oneAddress, 2: twoAddress])
            try await one.delegate.connected(2, .dialled)
            try await two.delegate.connected(1, .dialled)
            one.transport.send([.heartbeat(1)])
            two.transport.send([.heartbeat(2, from: 2, to: 1)])
            try await #expect(two.delegate.messages(count: 1) == [.heartbeat(1)])
            try await #expect(one.delegate.messages(count: 1) == [.heartbeat(2, from: 2, to: 1)])
            #expect(one.transport.statistics().peers.map(\.node) == [NodeID(2)])
        }
    }

    @Test func `a message of 8 MiB arrives whole, and heartbeats pass between its pieces`() async throws {
        try await withPair { one, two in
            let large = PeerMessage.append(1, bytes: 8 << 20)
            one.transport.send([large, .append(2, bytes: 10)] + (1...20).map { .heartbeat($0) })
            let arrived = try await two.delegate.messages(count: 22)
            #expect(arrived.filter { $0.isBulk } == [large, .append(2, bytes: 10)])
            #expect(arrived.last == .append(2, bytes: 10))
            let received = try #require(two.statistics(of: 1))
            #expect(received.receivedFrames >= 32 + 20)
        }
    }

    @Test func `counters of sender and receiver agree`() async throws {
        try await withPair { one, two in
            one.transport.send((1...100).map { .append($0, bytes: 1000) })
            _ = try await two.delegate.messages(count: 100)
            let sent = try #require(one.statistics(of: 2))
            let received = try #require(two.statistics(of: 1))
            #expect(sent.sentFrames >= 101)
            #expect(sent.sentBytes >= 100_000)
            #expect(received.receivedFrames <= sent.sentFrames)
            #expect(received.receivedFrames >= 101)
            #expect(sent.queuedMessages == 0)
            #expect(sent.queuedBytes == 0)
        }
    }

    @Test func `messages that cannot leave come back at once`() async throws {
        let one = TestNode(.sample(1))
        try await withNodes(one) {
            #expect(one.transport.send([.heartbeat(1)]) == [.heartbeat(1)])
            _ = try await one.start(peers: [2: TestNode.nowhere])
            let messages: [PeerMessage] = [.heartbeat(1), .heartbeat(2, to: 9), .append(1, bytes: 10)]
            #expect(Set(one.transport.send(messages)) == Set(messages))
            #expect(one.transport.statistics().unroutableMessages == 1)
            #expect(one.statistics(of: 2)?.droppedByDisconnect == 2)
        }
        #expect(one.transport.send([.heartbeat(3)]) == [.heartbeat(3)])
    }

    @Test func `an empty advertised peer address becomes the one that was bound`() async throws {
        var identity = PeerIdentity.sample(2)
        identity.advertisedPeer = ""
        let two = TestNode(identity)
        let one = TestNode(.sample(1))
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await one.delegate.connected(2, .dialled)
            #expect(one.statistics(of: 2)?.identity?.advertisedPeer == address.description)
        }
    }

    @Test func `a port that is taken is an error with the address and the number`() async throws {
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            let address = try await one.start()
            let error = await #expect(throws: PeerTransportError.self) { try await two.start(on: address) }
            #expect(error?.address == address)
            #expect(error?.description == "cannot listen for peers on \(address): Address already in use")
        }
    }

    @Test func `a transport that was stopped before it started leaves nothing behind`() async throws {
        let one = TestNode(.sample(1))
        await one.transport.stop()
        let address = try await one.start()
        let two = TestNode(.sample(2))
        try await withNodes(two) {
            let again = try await two.start(on: address)
            #expect(again == address)
        }
    }

    @Test func `a change of the identity is told in the next handshake`() async throws {
        var identity = PeerIdentity.sample(2)
        identity.hasData = false
        let one = TestNode(.sample(1))
        let two = TestNode(identity)
        try await withNodes(one, two) {
            let address = try await two.start()
            two.transport.updateIdentity { $0.hasData = true }
            _ = try await one.start(peers: [2: address])
            try await one.delegate.connected(2, .dialled)
            #expect(one.statistics(of: 2)?.identity?.hasData == true)
        }
    }
}
