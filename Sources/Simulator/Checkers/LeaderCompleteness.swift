import Raft

/// I4: a leader holds every entry that was committed in earlier terms (Raft paper, figure 3).
///
/// By I3 it is enough to look at the last of them.
enum LeaderCompleteness {
    static func check(_ leader: NodeLedger, of term: Term, committed: CommittedLog) throws(Violation) {
        guard let place = committed.entries.lastIndex(where: { $0.committedIn < term }) else { return }
        let index = LogIndex(UInt64(place) + 1)
        guard index > leader.given.base.index else { return }
        let entry = committed.entries[place]
        guard leader.given[index] == entry.stamp else {
            throw Violation(
                .leaderCompleteness,
                """
                node \(leader.id) leads term \(term) without entry \(entry.stamp.term)/\(index), which was committed in \
                term \(entry.committedIn); its log ends at \(leader.given.lastIndex)
                """)
        }
    }
}
