/// What a node says to a peer whose protocol, cluster and ids fit.
package enum PeerVerdict: Hashable, Sendable {
    case welcome
    /// Its id is not known here yet: this node lags behind the change that added it. The peer dials again after the
    /// usual pauses. One sentence.
    case notYet(String)
    /// One sentence that says why not and what to do; both sides log it. The peer dials again after the longest pause.
    case refused(String)
    /// As `refused`: the id is known with another data directory. Where that is so the cluster is not new, and the peer's
    /// delegate is told (`peerKnowsAnotherDirectory`). One sentence.
    case anotherDirectory(String)
    /// Its id belonged to a member and never will again: its delegate is told (`peerSaysRemoved`). One sentence.
    case removed(String)
}
