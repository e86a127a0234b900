import Raft
import Synchronization

/// The newest picture of the node, made by the consensus thread, looked at by everyone else.
final class StatusBoard: Sendable {
    struct Picture: Sendable {
        var core: Status
        /// Segments of this node's clients that are not settled.
        var waitingSegments: Int
        var hasOpenReads: Bool
    }

    private let current = Mutex<Picture?>(nil)
    private let localReads = Atomic<Bool>(false)
    private let taking = Atomic<Bool>(false)

    /// Nil until recovery is done.
    var picture: Picture? { current.withLock { $0 } }

    func publish(_ picture: Picture) { current.withLock { $0 = picture } }

    /// Whether this node, which led in `term`, leads still, or again. The picture may be some milliseconds old: then it shows an
    /// older term, or the candidacy for this one.
    func leads(since term: Term) -> Bool {
        guard let core = picture?.core, core.role != .leader else { return true }
        return core.term < term || (core.term == term && core.role == .candidate)
    }

    /// Whether this node alone is the majority and has applied an entry of its term as leader: a state that ends only
    /// with the process, as long as memberships don't change.
    var readsAreLocal: Bool {
        get { localReads.load(ordering: .acquiring) }
        set { localReads.store(newValue, ordering: .releasing) }
    }

    /// Whether clients' commands are taken.
    var isTaking: Bool {
        get { taking.load(ordering: .acquiring) }
        set { taking.store(newValue, ordering: .releasing) }
    }
}
