import ByteCoding
import Logging
import NIOCore
import NIOEmbedded
import Raft
import Testing

@testable import PeerTransport

@Suite("Peers that come, go and move", .timeLimit(.minutes(5)))
struct PeerChangeTests {
    @Test func `a new peer is dialled at once`() async throws {
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            _ = try await one.start()
            let address = try await two.start()
            #expect(one.transport.send([.heartbeat(1)]) == [.heartbeat(1)])
            one.setPeers([1: TestNode.nowhere, 2: address])
            try await one.delegate.connected(2, .dialled)
            #expect(one.transport.send([.heartbeat(2)]) == [])
            try await #expect(two.delegate.messages(count: 1) == [.heartbeat(2)])
            #expect(one.transport.statistics().peers.map(\.node) == [NodeID(2)])
        }
    }

    @Test func `peers that are set before the start count instead of those given to it`() async throws {
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            let address = try await two.start()
            one.setPeers([2: address])
            _ = try await one.start(peers: [3: TestNode.nowhere])
            try await one.delegate.connected(2, .dialled)
            #expect(one.transport.statistics().peers.map(\.node) == [NodeID(2)])
        }
    }

    @Test func `what was queued for a peer that leaves goes out before the link ends`() async throws {
        try await withPair { one, two in
            let last: [PeerMessage] = (1...500).map { .append($0, bytes: 2000) } + [.heartbeat(1)]
            #expect(one.transport.send(last) == [])
            one.setPeers([:])
            #expect(one.transport.send([.heartbeat(2)]) == [.heartbeat(2)])
            try await #expect(one.delegate.disconnected(2, .dialled) == .stopped)
            try await #expect(two.delegate.disconnected(1, .accepted) == .closedByPeer)
            #expect(Set(two.delegate.messages) == Set(last))
            #expect(one.transport.statistics().unroutableMessages == 1)
        }
    }

    @Test func `the connection of a peer that leaves is closed too, and the delegate judges when it dials again`()
        async throws
    {
        let isMember = Recorder<Bool>()
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2)) { _ in
            isMember.elements.isEmpty ? .welcome : .removed("node 1 was removed from this cluster")
        }
        try await withNodes(one, two) {
            let address = try await two.start(peers: [1: TestNode.nowhere])
            _ = try await one.start(peers: [2: address])
            try await two.delegate.connected(1, .accepted)
            isMember.append(false)
            two.setPeers([:])
            try await #expect(two.delegate.disconnected(1, .accepted) == .stopped)
            try await one.delegate.events.first {
                $0 == .removed(by: NodeID(2), "node 1 was removed from this cluster")
            }
            #expect(one.statistics(of: 2)?.refusal == "node 1 was removed from this cluster")
        }
    }

    @Test func `a node that dials a removed one tells it so`() async throws {
        let sentence = "node 2 was removed from this cluster"
        let one = TestNode(.sample(1)) { _ in .removed(sentence) }
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await two.delegate.events.first { $0 == .removed(by: NodeID(1), sentence) }
            try await one.log.warning(sentence)
            #expect(one.delegate.events.elements.isEmpty)
        }
    }

    @Test func `a node whose id is not known yet tries again soon, without a warning`() async throws {
        var limits = PeerTransportLimits.quick
        // A refusal would make it wait for an hour.
        limits.reconnectMax = .seconds(3600)
        let attempts = Recorder<UInt64>()
        let one = TestNode(.sample(1), limits: limits)
        let two = TestNode(.sample(2)) { identity in
            attempts.append(identity.node.rawValue)
            return attempts.elements.count < 4 ? .notYet("node 1 is not known here yet") : .welcome
        }
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: address])
            try await one.delegate.connected(2, .dialled)
            for node in [one, two] {
                #expect(!node.log.elements.contains { $0.level >= .warning })
                #expect(node.log.elements.contains { $0.metadata["reason"] == "node 1 is not known here yet" })
            }
        }
    }

    @Test func `a peer that moved is dialled at its new address after its old one has got what was queued`()
        async throws
    {
        let one = TestNode(.sample(1))
        let old = TestNode(.sample(2))
        let new = TestNode(.sample(2))
        try await withNodes(one, old, new) {
            let before = try await old.start()
            let after = try await new.start()
            _ = try await one.start(peers: [2: before])
            try await one.delegate.connected(2, .dialled)
            one.transport.send((1...100).map { .append($0, bytes: 2000) })
            one.setPeers([2: after])
            try await one.delegate.connected(2, .dialled, times: 2)
            try await #expect(old.delegate.disconnected(1, .accepted) == .closedByPeer)
            let sent: [PeerMessage] = (1...100).map { .append($0, bytes: 2000) }
            let isComplete = old.delegate.messages == sent
            #expect(isComplete, "\(old.delegate.messages.count) messages came")
            one.transport.send([.heartbeat(7)])
            try await #expect(new.delegate.messages(count: 1) == [.heartbeat(7)])
            let statistics = try #require(one.statistics(of: 2))
            #expect(statistics.address == after)
            #expect(statistics.connects == 2)
        }
    }

    @Test func `a peer that moved while nobody answered is dialled at once`() async throws {
        var patient = PeerTransportLimits.quick
        (patient.reconnectMin, patient.reconnectMax) = (.seconds(3600), .seconds(3600))
        let one = TestNode(.sample(1), limits: patient)
        let two = TestNode(.sample(2))
        try await withNodes(one, two) {
            let address = try await two.start()
            _ = try await one.start(peers: [2: TestNode.nowhere])
            try await one.log.first { $0.message == "cannot reach a peer, trying again" }
            one.setPeers([2: address])
            try await one.delegate.connected(2, .dialled)
        }
    }

    @Test func `setting the same peers again changes nothing`() async throws {
        try await withPair { one, two in
            let address = try #require(one.statistics(of: 2)?.address)
            for _ in 1...10 { one.setPeers([2: address]) }
            one.transport.send([.heartbeat(1)])
            try await #expect(two.delegate.messages(count: 1) == [.heartbeat(1)])
            #expect(one.statistics(of: 2)?.connects == 1)
        }
    }

    @Test func `peers that change without a pause leave the last set, and everything else closed`() async throws {
        let one = TestNode(.sample(1))
        let two = TestNode(.sample(2))
        let three = TestNode(.sample(3))
        try await withNodes(one, two, three) {
            let (second, third) = (try await two.start(), try await three.start())
            _ = try await one.start()
            for round in 0..<200 { one.setPeers(round.isMultiple(of: 2) ? [2: second] : [3: third]) }
            try await one.delegate.connected(3, .dialled)
            #expect(one.transport.statistics().peers.map(\.node) == [NodeID(3)])
            // An earlier link may have been up for a moment; the last one takes nothing before it is.
            while !one.transport.send([.heartbeat(1, to: 3)]).isEmpty { try await breathe() }
            try await #expect(three.delegate.messages(count: 1) == [.heartbeat(1, to: 3)])
        }
        let up = two.delegate.events.elements.connections(1, .accepted)
        let down = two.delegate.events.elements.count {
            if case .disconnected(NodeID(1), .accepted, _) = $0 { true } else { false }
        }
        #expect(up == down)
    }
}
