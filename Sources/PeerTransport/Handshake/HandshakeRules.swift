import ByteCoding
import Raft

/// Decides about the other side of a new connection. Pure but for the question to the delegate.
struct HandshakeRules: Sendable {
    /// This node.
    let own: Introduction
    let delegate: any PeerTransportDelegate

    /// How a handshake goes on.
    enum Verdict: Hashable, Sendable {
        case agreed(Introduction, for: HelloPurpose)
        /// A node without an id asks for one.
        case join(JoinRequest)
        /// `node` is who the other side says it is, if that could be read.
        case refused(Refusal, node: NodeID?)
        /// Not worth a sentence: the other side does not speak the protocol.
        case broken(String)
    }

    /// The accepting side judges a hello.
    func judge(hello record: HandshakeRecord) -> Verdict {
        guard record.kind == .hello else { return .broken("the first record is no hello") }
        guard record.version == HandshakeRecord.version else { return refused(versions(record.version), nil) }
        do throws(MalformedBytes) {
            if try record.purpose() == .join { return judge(join: try record.joinRequest()) }
            let hello = try record.hello()
            let peer = hello.introduction.identity
            if let sentence = clusters(peer) { return refused(sentence, peer.node) }
            if hello.wanted != own.identity.node {
                return refused(
                    "this is node \(own.identity.node), not node \(hello.wanted): "
                        + "check the address that node \(peer.node) has for node \(hello.wanted)", peer.node)
            }
            if let sentence = ids(peer) { return refused(sentence, peer.node) }
            return admitted(hello.introduction, for: hello.purpose)
        } catch { return .broken(error.description) }
    }

    /// The dialling side judges the answer; it wanted to reach `wanted`. A refusal is for the caller to read.
    func judge(welcome record: HandshakeRecord, from wanted: NodeID, for purpose: HelloPurpose) -> Verdict {
        guard record.kind == .welcome else { return .broken("the answer is no welcome") }
        guard record.version == HandshakeRecord.version else { return refused(versions(record.version), wanted) }
        do throws(MalformedBytes) {
            let introduction = try record.welcome()
            let peer = introduction.identity
            if let sentence = clusters(peer) { return refused(sentence, wanted) }
            if peer.node != wanted {
                return refused(
                    "node \(peer.node) answered in the place of node \(wanted): check the address of node \(wanted)",
                    wanted)
            }
            return admitted(introduction, for: purpose)
        } catch { return .broken(error.description) }
    }

    /// The dialling side reads a refusal. A removal counts only from whom it wanted to reach, in its own cluster: whoever
    /// else sits at that address says nothing about this node.
    func judge(refusal: Refusal, from wanted: NodeID) -> Refusal {
        guard refusal.kind == .removed else { return refusal }
        guard let answerer = refusal.answerer, answerer.node == wanted, clusters(answerer) == nil else {
            return Refusal(.refused, refusal.sentence)
        }
        return refusal
    }

    private func judge(join request: JoinRequest) -> Verdict {
        let isMeant = request.clusterName.isEmpty || request.clusterName == own.identity.clusterName
        guard !isMeant else { return .join(request) }
        return refused(
            "this is cluster \"\(own.identity.clusterName)\", not cluster \"\(request.clusterName)\": "
                + "check cluster-name and join of the node that joins", nil)
    }

    private func admitted(_ introduction: Introduction, for purpose: HelloPurpose) -> Verdict {
        if let refusal = delegate.admitPeer(introduction.identity).refusal {
            return .refused(refusal, node: introduction.identity.node)
        }
        return .agreed(introduction, for: purpose)
    }

    private func refused(_ sentence: String, _ node: NodeID?) -> Verdict {
        .refused(Refusal(.refused, sentence), node: node)
    }

    private func versions(_ theirs: UInt16) -> String {
        "node \(own.identity.node) speaks version \(HandshakeRecord.version) of the peer protocol, the other side "
            + "version \(theirs): upgrade the older one"
    }

    private func clusters(_ peer: PeerIdentity) -> String? {
        let own = own.identity
        guard peer.clusterID != own.clusterID else { return nil }
        let cause =
            peer.clusterName == own.clusterName
            ? "both clusters are called \"\(own.clusterName)\", but they were founded with different node ids"
            : "node \(own.node) belongs to cluster \"\(own.clusterName)\", "
                + "node \(peer.node) to cluster \"\(peer.clusterName)\""
        return cause + ": check cluster-name and peers of both"
    }

    private func ids(_ peer: PeerIdentity) -> String? {
        guard peer.node == own.identity.node else { return nil }
        return "node id \(peer.node) is taken by the node that answers: give one of the two another node-id"
    }
}
