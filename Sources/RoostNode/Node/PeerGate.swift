import Logging
import PeerTransport
import Raft
import RaftStorage

/// The node as its peers see it: decides who is admitted, and hands what they send to the consensus thread.
final class PeerGate: PeerTransportDelegate {
    private let inbox: Inbox<ConsensusEvent>
    private let store: NodeStore
    private let members: [NodeID]
    private let failure: FailureLatch
    private let logger: Logger

    init(
        inbox: Inbox<ConsensusEvent>, store: NodeStore, members: [NodeID], failure: FailureLatch, logger: Logger
    ) {
        self.inbox = inbox
        self.store = store
        self.members = members
        self.failure = failure
        self.logger = logger
    }

    func peerMessages(_ messages: [PeerMessage], from node: NodeID) {
        if failure.isSet { return }
        inbox.push(.peerMessages(messages))
    }

    func peerConnected(_ identity: PeerIdentity, direction: LinkDirection) {
        logger.info(
            "peer connected", metadata: ["peer.id": "\(identity.node)", "link.direction": "\(direction.rawValue)"])
        inbox.push(.linkUp(identity.node, direction, hasData: identity.hasData))
    }

    func peerDisconnected(_ node: NodeID, direction: LinkDirection, reason: LinkEnd) {
        logger.info(
            "peer disconnected",
            metadata: ["peer.id": "\(node)", "link.direction": "\(direction.rawValue)", "error": "\(reason)"])
        inbox.push(.linkDown(node, direction, reason))
    }

    /// A node id belongs to one data directory for ever: the first one that this node met under it. Another one is a
    /// wiped disk or a second node, and letting it vote could undo what was acknowledged.
    func admitPeer(_ identity: PeerIdentity) -> String? {
        guard members.contains(identity.node) else {
            return "node \(identity.node) is no member of this cluster (members: "
                + "\(members.map { "\($0)" }.joined(separator: ", "))); check --peers on both sides"
        }
        do throws(StorageError) {
            guard let known = store.peerIncarnation(of: identity.node) else {
                // Waits for the disk, once for each peer in the life of a data directory.
                try store.record(incarnation: identity.incarnation, of: identity.node)
                return nil
            }
            guard known != identity.incarnation else { return nil }
            return "node \(identity.node) came with another data directory (incarnation "
                + "\(hexadecimal(identity.incarnation)), known \(hexadecimal(known))): its directory was wiped "
                + "or a second node uses its id; restore the directory, or replace the node under a new id"
        } catch {
            failure.fail(NodeFailure(storage: error))
            return "this node's store failed"
        }
    }
}
