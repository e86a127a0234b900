import Raft

/// What must hold between a group's log and its state before anything may come of them: see `NodeStore.recover`.
enum RecoveryRules {
    /// - Parameter position: of the state; nil if nothing was applied.
    /// - Throws: `.corruption`.
    static func check(
        _ group: GroupID, _ head: LogHead, _ survey: LogSurvey, _ position: AppliedPosition?
    ) throws(StorageError) {
        let (last, applied) = (survey.last, position?.id ?? .zero)
        guard last.term <= head.hardState.term else {
            throw StorageError(
                .corruption,
                "the log of group \(group) reaches term \(last.term), its hard state only \(head.hardState.term)"
            ).advising(.writeAheadLog)
        }
        guard applied.index >= head.truncated.index else {
            throw StorageError(
                .corruption,
                "the state of group \(group) ends at \(applied.index), but its log begins after "
                    + "\(head.truncated.index): state was lost"
            ).advising(.state)
        }
        guard applied.index <= last.index, head.commit <= last.index else {
            throw StorageError(
                .corruption,
                "the log of group \(group) ends at \(last.index), but \(max(applied.index, head.commit)) "
                    + "was committed: log was lost"
            ).advising(.log)
        }
        // Which of the two is wrong, nobody here can tell: with the state the log goes too.
        let term = survey.term(at: applied.index, truncated: head.truncated)
        guard term == applied.term else {
            throw StorageError(
                .corruption,
                "the state of group \(group) holds entry \(applied.index) of term \(applied.term), "
                    + "the log one of term \(term.map(\.description) ?? "none")"
            ).advising(.state)
        }
    }
}
