import Logging
import PeerTransport
import Raft
import RaftStorage
import Synchronization

/// The node as its peers see it: decides who is admitted, and hands what they send to the consensus thread.
final class PeerGate: PeerTransportDelegate {
    private let inbox: ConsensusInbox
    private let store: NodeStore
    private let book: MemberBook
    private let snapshots: SnapshotTraffic
    private let board: StatusBoard
    private let failure: FailureLatch
    private let logger: Logger
    /// Two that come under one id at once are not both the first.
    private let meeting = Mutex(())

    init(
        inbox: ConsensusInbox, store: NodeStore, book: MemberBook, snapshots: SnapshotTraffic,
        board: StatusBoard, failure: FailureLatch, logger: Logger
    ) {
        self.inbox = inbox
        self.store = store
        self.book = book
        self.snapshots = snapshots
        self.board = board
        self.failure = failure
        self.logger = logger
    }

    func peerMessages(_ messages: [PeerMessage], from node: NodeID) {
        if failure.isSet { return }
        inbox.bring(.peerMessages(messages))
    }

    func peerConnected(_ identity: PeerIdentity, direction: LinkDirection) {
        logger.info(
            "peer connected", metadata: ["peer.id": "\(identity.node)", "link.direction": "\(direction.rawValue)"])
        inbox.push(.linkUp(identity, direction))
    }

    func peerDisconnected(_ node: NodeID, direction: LinkDirection, reason: LinkEnd) {
        logger.info(
            "peer disconnected",
            metadata: ["peer.id": "\(node)", "link.direction": "\(direction.rawValue)", "error": "\(reason)"])
        inbox.push(.linkDown(node, direction, reason))
    }

    /// For ever, so only from the very node that this one knows: a cluster of the same name somewhere else, or an old copy
    /// of a member, may sit at its address.
    func peerSaysRemoved(by peer: PeerIdentity, sentence: String) {
        let isKnown = peer.incarnation == book.incarnation(of: peer.node) ?? store.peerIncarnation(of: peer.node)
        logger.notice(
            isKnown ? "a peer says that this node was removed" : "a stranger says that this node was removed",
            metadata: ["peer.id": "\(peer.node)", "error": "\(sentence)"])
        if isKnown { inbox.push(.removedBy(peer.node)) }
    }

    func peerKnowsAnotherDirectory(_ node: NodeID) { inbox.push(.knownOtherwise(by: node)) }

    func snapshotOffered(_ offer: SnapshotOffer, answer: @escaping @Sendable (SnapshotAnswer) -> Void) {
        if failure.isSet { return answer(.refuse("this node stops")) }
        snapshots.receive(offer, answer: answer)
    }

    // MARK: - Who is let in

    /// A node id belongs to one data directory for ever: the one that it joined with, or the first one that this node
    /// met under it. Another one is a wiped disk or a second node, and letting it vote could undo what was acknowledged.
    func admitPeer(_ identity: PeerIdentity) -> PeerVerdict {
        switch book.standing(of: identity.node) {
        case .removed:
            // Who hears that it was removed goes for ever, and its machine may be destroyed: a leader knows when.
            guard book.confirmsRemovals else {
                return .notYet("node \(identity.node) was removed; it will be told to go when that is settled")
            }
            return .removed(
                "node \(identity.node) was removed from this cluster, and ids are never used again: "
                    + "an empty directory with --join makes a new node of its machine")
        // Only a member gives ids away: this one comes from a change that this node has not applied yet. That change says
        // which directory the id belongs to; nothing is to be noted before.
        case .unheardOf: return .welcome
        case .member: break
        }
        return meeting.withLock { _ in
            do throws(StorageError) {
                // What the log says counts; of founders it says nothing.
                let joined = book.incarnation(of: identity.node)
                let known = joined ?? store.peerIncarnation(of: identity.node) ?? identity.incarnation
                guard known == identity.incarnation else {
                    return .anotherDirectory(otherDirectory(identity, known: known))
                }
                // Waits for the disk, once for each peer in the life of a data directory: that it was met must be known
                // even when the log is lost.
                try store.record(incarnation: known, of: identity.node)
                return .welcome
            } catch {
                failure.fail(NodeFailure(storage: error))
                return .refused("this node's store failed")
            }
        }
    }

    private func otherDirectory(_ identity: PeerIdentity, known: UInt64) -> String {
        "node \(identity.node) came with another data directory (incarnation "
            + "\(hexadecimal(identity.incarnation)), known \(hexadecimal(known))): its directory was wiped "
            + "or a second node uses its id; remove that node, and let the machine join again under a new id"
    }

    /// The leader decides; it answers when the change that lets the node in is applied.
    func joinRequested(_ request: JoinRequest, answer: @escaping @Sendable (JoinAnswer) -> Void) {
        if failure.isSet { return answer(.refused("this node stops", mayTryAgain: true)) }
        guard HostPort(dialable: request.advertisedPeer) != nil else {
            return answer(
                .refused(
                    "\"\(request.advertisedPeer)\" is no address that others can dial: set advertise.peer",
                    mayTryAgain: false))
        }
        let joiner = MembershipDesk.Joiner(
            peer: request.advertisedPeer, redis: request.advertisedRedis, http: request.advertisedHTTP,
            incarnation: request.incarnation, wantedID: request.wantedNode)
        logger.info("a node asks to join", metadata: ["listen.peer": "\(request.advertisedPeer)"])
        inbox.push(
            .wished(MembershipWish(wish: .join(joiner)) { [self] outcome in answer(joinAnswer(to: outcome)) }))
    }

    private func joinAnswer(to outcome: MembershipDesk.Answer) -> JoinAnswer {
        switch outcome {
        case .member(let node): return .accepted(acceptance(of: node))
        case .done, .failed(.inDoubt):
            return .refused("the change that lets the node in is not decided yet", mayTryAgain: true)
        case .failed(.refused(let sentence)): return .refused(sentence, mayTryAgain: false)
        case .failed(.tryAgain(let sentence)): return .refused(sentence, mayTryAgain: true)
        case .failed(.notLeader):
            guard let leader = board.picture?.core.leader, leader != book.node,
                let address = HostPort(dialable: book.contact(of: leader).peer)
            else { return .refused("no leader is known at the moment", mayTryAgain: true) }
            return .redirect(PeerAddress(host: address.host, port: address.port))
        }
    }

    private func acceptance(of node: NodeID) -> JoinAcceptance {
        let identity = store.identity
        let contacts = book.contacts()
        let members = book.membership.all.map { member in
            let contact = contacts[member] ?? ClusterDirectory.Member(peer: "")
            return JoinMember(
                node: member, incarnation: contact.incarnation, advertisedPeer: contact.peer,
                advertisedRedis: contact.redis, advertisedHTTP: contact.http)
        }
        return JoinAcceptance(
            node: node, clusterID: identity.clusterID, clusterName: identity.clusterName,
            founders: identity.founders, members: members)
    }
}
