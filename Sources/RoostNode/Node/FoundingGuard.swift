import Raft

/// Decides whether a founder whose directory is empty may vote.
///
/// An empty directory is either a new founder's, which has promised nothing, or what is left of a disk that was lost or
/// wiped, together with the votes and acknowledgements that were on it: such a node could help to elect a leader that
/// lacks committed entries. Nobody can tell the two apart from the directory. So an empty founder first looks around:
///
/// - if every other founder it meets is empty too, the cluster is new, and it votes;
/// - if one has entries, or refuses it because it knows its id with another directory, it must catch up with a leader
///   before it votes (`RaftCore.liftVotingBan`);
/// - founders that it cannot meet for a while are taken for not started yet.
///
/// The last rule needs two faults at once to do harm (the one node that could warn is away while this one lost its disk),
/// and nodes that have met before refuse a wiped directory anyway, by its incarnation (`PeerGate`).
///
/// Pure: no clock, no I/O.
struct FoundingGuard {
    enum Decision: Equatable {
        /// Not all founders are met: look again at this time.
        case wait(until: MonotonicTime)
        case vote
        case catchUpFirst
    }

    private var unmet: Set<NodeID>
    private var metData = false
    private let deadline: MonotonicTime

    /// - Parameters:
    ///   - others: the other founders.
    ///   - deadline: when those that were not met are taken for not started.
    init(others: [NodeID], deadline: MonotonicTime) {
        unmet = Set(others)
        self.deadline = deadline
    }

    mutating func met(_ node: NodeID, hasData: Bool) {
        unmet.remove(node)
        if hasData { metData = true }
    }

    func decision(at now: MonotonicTime) -> Decision {
        if metData { return .catchUpFirst }
        return unmet.isEmpty || now >= deadline ? .vote : .wait(until: deadline)
    }
}
