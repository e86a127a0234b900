import PeerTransport
import Raft

/// Writes down everything that a transport reports.
final class RecordingDelegate: PeerTransportDelegate {
    enum Event: Hashable, Sendable {
        case connected(PeerIdentity, LinkDirection)
        case disconnected(NodeID, LinkDirection, LinkEnd)
        case messages([PeerMessage], from: NodeID)
    }

    let events = Recorder<Event>()
    private let admit: @Sendable (PeerIdentity) -> String?

    init(admit: @escaping @Sendable (PeerIdentity) -> String? = { _ in nil }) { self.admit = admit }

    func peerMessages(_ messages: [PeerMessage], from node: NodeID) { events.append(.messages(messages, from: node)) }

    func peerConnected(_ identity: PeerIdentity, direction: LinkDirection) {
        events.append(.connected(identity, direction))
    }

    func peerDisconnected(_ node: NodeID, direction: LinkDirection, reason: LinkEnd) {
        events.append(.disconnected(node, direction, reason))
    }

    func admitPeer(_ identity: PeerIdentity) -> String? { admit(identity) }

    /// The messages so far, in the order of their arrival.
    var messages: [PeerMessage] { events.elements.messages }

    func messages(count: Int) async -> [PeerMessage] { await events.wait { $0.messages.count >= count }.messages }

    /// Waits until the link with that node has come up this many times.
    func connected(_ node: UInt64, _ direction: LinkDirection, times: Int = 1) async {
        await events.wait { $0.connections(node, direction) >= times }
    }

    func disconnected(_ node: UInt64, _ direction: LinkDirection) async -> LinkEnd? {
        let event = await events.first {
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
