import PeerTransport
import Raft

/// Writes down everything that a transport reports, and answers what it asks as the test says.
final class RecordingDelegate: PeerTransportDelegate {
    enum Event: Hashable, Sendable {
        case connected(PeerIdentity, LinkDirection)
        case disconnected(NodeID, LinkDirection, LinkEnd)
        case messages([PeerMessage], from: NodeID)
        case removed(by: NodeID, String)
        case anotherDirectory(at: NodeID)
    }

    typealias Offered = @Sendable (SnapshotOffer, @escaping @Sendable (SnapshotAnswer) -> Void) -> Void
    typealias Asked = @Sendable (JoinRequest, @escaping @Sendable (JoinAnswer) -> Void) -> Void

    let events = Recorder<Event>()
    private let admit: @Sendable (PeerIdentity) -> PeerVerdict
    private let offered: Offered
    private let asked: Asked

    init(
        admit: @escaping @Sendable (PeerIdentity) -> PeerVerdict = { _ in .welcome },
        offered: @escaping Offered = { _, answer in answer(.refuse("no snapshots in this test")) },
        asked: @escaping Asked = { _, answer in answer(.refused("no joining in this test", mayTryAgain: false)) }
    ) {
        self.admit = admit
        self.offered = offered
        self.asked = asked
    }

    func peerMessages(_ messages: [PeerMessage], from node: NodeID) { events.append(.messages(messages, from: node)) }

    func peerConnected(_ identity: PeerIdentity, direction: LinkDirection) {
        events.append(.connected(identity, direction))
    }

    func peerDisconnected(_ node: NodeID, direction: LinkDirection, reason: LinkEnd) {
        events.append(.disconnected(node, direction, reason))
    }

    func admitPeer(_ identity: PeerIdentity) -> PeerVerdict { admit(identity) }

    func peerSaysRemoved(by peer: PeerIdentity, sentence: String) { events.append(.removed(by: peer.node, sentence)) }

    func peerKnowsAnotherDirectory(_ node: NodeID) { events.append(.anotherDirectory(at: node)) }

    func snapshotOffered(_ offer: SnapshotOffer, answer: @escaping @Sendable (SnapshotAnswer) -> Void) {
        offered(offer, answer)
    }

    func joinRequested(_ request: JoinRequest, answer: @escaping @Sendable (JoinAnswer) -> Void) {
        asked(request, answer)
    }

    /// The messages so far, in the order of their arrival.
    var messages: [PeerMessage] { events.elements.messages }

    func messages(count: Int) async throws -> [PeerMessage] {
        try await events.wait { $0.messages.count >= count }.messages
    }

    /// Waits until the link with that node has come up this many times.
    func connected(_ node: UInt64, _ direction: LinkDirection, times: Int = 1) async throws {
        try await events.wait { $0.connections(node, direction) >= times }
    }

    func disconnected(_ node: UInt64, _ direction: LinkDirection) async throws -> LinkEnd? {
        let event = try await events.first {
            if case .disconnected(NodeID(node), direction, _) = $0 { true } else { false }
        }
        guard case .disconnected(_, _, let reason) = event else { return nil }
        return reason
    }
}

extension [RecordingDelegate.Event] {
    var messages: [PeerMessage] {
        flatMap { event -> [PeerMessage] in
            if case .messages(let messages, _) = event { messages } else { [] }
        }
    }

    func connections(_ node: UInt64, _ direction: LinkDirection) -> Int {
        count { event in
            guard case .connected(let identity, direction) = event else { return false }
            return identity.node == NodeID(node)
        }
    }
}
