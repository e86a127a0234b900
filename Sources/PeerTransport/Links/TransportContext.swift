import Logging
import Raft
import Synchronization

/// What all links of a transport share.
final class TransportContext: Sendable {
    let limits: PeerTransportLimits
    let logger: Logger
    let delegate: any PeerTransportDelegate
    let refusals: RefusalLog
    let accepted = AcceptedLinks()
    let faults = FaultBoard()
    let incomingSnapshots = IncomingSnapshots()
    /// Never changes, whatever else of the identity does.
    let node: NodeID
    let clusterID: UInt64
    private let identity: Mutex<PeerIdentity>

    init(
        identity: PeerIdentity, limits: PeerTransportLimits, logger: Logger, delegate: any PeerTransportDelegate
    ) {
        self.identity = Mutex(identity)
        self.limits = limits
        self.logger = logger
        self.delegate = delegate
        node = identity.node
        clusterID = identity.clusterID
        refusals = RefusalLog(logger: logger)
    }

    /// - Precondition: node and cluster stay what they are.
    func updateIdentity(_ change: (inout PeerIdentity) -> Void) {
        identity.withLock { identity in
            change(&identity)
            precondition(identity.node == node && identity.clusterID == clusterID, "a node never changes its id")
        }
    }

    /// What this node says about itself now.
    var introduction: Introduction {
        Introduction(
            identity: identity.withLock { $0 }, maxFrameBytes: limits.maxFrameBytes,
            maxMessageBytes: limits.maxMessageBytes)
    }

    var rules: HandshakeRules { HandshakeRules(own: introduction, delegate: delegate) }
}
