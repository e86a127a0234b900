import PeerTransport
import Raft
import Testing

@testable import RoostNode

@Suite("ROOST.DEBUG NET: its words")
struct NetworkFaultWordsTests {
    private static let peers = [NodeID(2), NodeID(3)]

    private func faults(_ orders: String...) throws -> NetworkFaults {
        var faults = NetworkFaults()
        for order in orders {
            try NetworkFaultWords(order.split(separator: " ").map(String.init)).apply(to: &faults, all: Self.peers)
        }
        return faults
    }

    @Test func `a cut without more words is between this node and all others, both ways`() throws {
        let faults = try faults("CUT")
        #expect(faults.peers == Self.peers)
        for peer in Self.peers {
            #expect(faults.rule(peer, .incoming).isCut)
            #expect(faults.rule(peer, .outgoing).isCut)
        }
    }

    @Test func `one way, one peer`() throws {
        let faults = try faults("cut 3 out", "DELAY 20ms 5ms 2 IN", "DROP 25 2 out", "DUP 100 ALL IN")
        #expect(faults.rule(NodeID(3), .outgoing) == .init(isCut: true))
        #expect(faults.rule(NodeID(3), .incoming) == .init(duplicateProbability: 1))
        #expect(
            faults.rule(NodeID(2), .incoming)
                == .init(duplicateProbability: 1, delay: .milliseconds(20), jitter: .milliseconds(5)))
        #expect(faults.rule(NodeID(2), .outgoing) == .init(dropProbability: 0.25))
    }

    @Test func `healing one peer leaves the others, healing all leaves nothing`() throws {
        #expect(try faults("CUT", "HEAL 2").peers == [NodeID(3)])
        #expect(try faults("CUT", "DROP 5", "HEAL").isEmpty)
    }

    @Test(arguments: [
        "", "CUT 0", "CUT x", "CUT 2 sideways", "CUT 2 IN more", "DROP", "DROP 101", "DROP 0.5", "DELAY", "DELAY 20",
        "BREAK", "DUP -1",
    ])
    func `everything else is refused`(order: String) {
        #expect(throws: NetworkFaultWords.Refusal.self) { try faults(order) }
    }
}
