import ByteCoding
import KeyValue
package import Raft
import Synchronization

extension NodeStore {
    /// Brings a group back to what it had promised: checks its whole log, replays what is committed but not in the
    /// state, and gives the core what it starts from. Call it once for each group, before anything else with that
    /// group.
    ///
    /// With A = applied, T = cut off, L = last entry, C = commit hint:
    /// 1. T+1 ... L must be contiguous, intact, their terms never decreasing and none above the hard state's;
    /// 2. T <= A <= L and C <= L must hold: A < T means that the state was lost, A > L or C > L that log was;
    /// 3. A+1 ... max(A, C) is given to `replay` in order, which must commit each batch to `state` with its applied
    ///    record.
    ///
    /// - Parameters:
    ///   - founders: The membership of a group that has applied nothing yet: the founders', on every node, since the
    ///     first entry's changes apply to it. A node that has joined later is not in it, and so never campaigns.
    ///   - replay: Applies contiguous entries, exactly as in operation.
    /// - Throws: `.corruption` when a rule above doesn't hold, `.newerFormat`, and what `replay` throws.
    package func recover(
        _ group: GroupID, founders: Membership, progress: (String) -> Void = { _ in },
        replay: (_ entries: [Entry]) throws(StorageError) -> Void
    ) throws(StorageError) -> RestoredState {
        let head = try records.log.head(of: group)
        let survey = try survey(group, after: head.truncated, progress)
        let start = try appliedPosition(group)
        try RecoveryRules.check(group, head, survey, start)

        let committed = max(head.commit, start?.id.index ?? .zero)
        Failpoint.recoverBeforeReplay.reach()
        try replayEntries(group, after: start?.id.index ?? .zero, through: committed, progress, replay)
        Failpoint.recoverAfterReplay.reach()
        let end = try appliedPosition(group)
        guard (end?.id.index ?? .zero) == committed else {
            throw StorageError(
                .invariant, "replay of group \(group) ended at \(end?.id.index ?? .zero) instead of \(committed)")
        }

        logs.withLock { logs in
            logs[group] = LogBounds(truncated: head.truncated, last: survey.last.index, commit: head.commit)
        }
        return RestoredState(
            hardState: head.hardState, membership: end?.membership ?? founders, truncated: head.truncated,
            termRuns: survey.termRuns, lastIndex: survey.last.index, commit: committed, applied: committed,
            unapplied: try entries(group, after: committed, through: survey.last.index), mayVote: try !isSuspect())
    }

    private func survey(
        _ group: GroupID, after truncated: EntryID, _ progress: (String) -> Void
    ) throws(StorageError) -> LogSurvey {
        var survey = LogSurvey(after: truncated)
        try records.log.scan(group, truncated.index.next...LogIndex(.max)) { (entry) throws(StorageError) in
            try survey.add(entry.id, of: group)
            if survey.count % Recovery.progressEntries == 0 { progress("checked \(survey.count) log entries") }
            return true
        }
        return survey
    }

    private func replayEntries(
        _ group: GroupID, after first: LogIndex, through last: LogIndex, _ progress: (String) -> Void,
        _ replay: (_ entries: [Entry]) throws(StorageError) -> Void
    ) throws(StorageError) {
        var next = first.next
        var announced = first
        while next <= last {
            let through = min(last, LogIndex(next.rawValue + UInt64(Recovery.batchEntries) - 1))
            let batch = try readBatch(group, next...through)
            try replay(batch)
            Failpoint.recoverWhileReplaying.reach()
            next = LogIndex(next.rawValue + UInt64(batch.count))
            if next.distance(from: announced) >= UInt64(Recovery.progressEntries) {
                announced = next
                progress("replayed \(next.previous.distance(from: first)) of \(last.distance(from: first)) entries")
            }
        }
    }

    private func entries(
        _ group: GroupID, after first: LogIndex, through last: LogIndex
    ) throws(StorageError) -> [Entry] {
        var result: [Entry] = []
        while first.rawValue + UInt64(result.count) < last.rawValue {
            result += try readBatch(group, LogIndex(first.rawValue + UInt64(result.count) + 1)...last)
        }
        return result
    }

    /// The first entries of `indexes`, at least one, as many as a batch may hold.
    private func readBatch(_ group: GroupID, _ indexes: ClosedRange<LogIndex>) throws(StorageError) -> [Entry] {
        var batch: [Entry] = []
        var bytes = 0
        try records.log.scan(group, indexes) { (entry) throws(StorageError) in
            batch.append(entry)
            bytes += entry.payload.count
            return bytes < Recovery.batchBytes
        }
        guard let first = batch.first, first.index == indexes.lowerBound else {
            throw StorageError(
                .corruption, "log entry \(indexes.lowerBound) of group \(group) vanished while it was read"
            ).advising(.log)
        }
        return batch
    }
}

/// Sizes of recovery's steps.
private enum Recovery {
    /// Entries given to the state machine at once, as in operation.
    static let batchEntries = 1024
    /// Payload bytes given to the state machine at once; soft by one entry.
    static let batchBytes = 4 << 20
    /// Say how far it has come each time so many entries are done: about every quarter second.
    static let progressEntries = 100_000
}

extension AppliedPosition {
    /// Reads a group's applied record.
    ///
    /// - Throws: `.corruption`; `.newerFormat` also where the record can be read, and the state that it speaks of can't.
    init(record value: Bytes, group: GroupID) throws(StorageError) {
        let record: AppliedRecord
        do { record = try AppliedRecord(decoding: value, group: group.rawValue) } catch {
            switch error {
            case .damaged(let what):
                throw StorageError(.corruption, "applied record of group \(group): \(what)").advising(.state)
            case .unknownVersion(let version):
                throw StorageError(.newerFormat, "applied record of group \(group) has version \(version)")
            }
        }
        guard record.stateFormat <= AppliedRecord.knownStateFormat else {
            throw StorageError(
                .newerFormat,
                "the state of group \(group) has format \(record.stateFormat), "
                    + "this build knows \(AppliedRecord.knownStateFormat)")
        }
        try self.init(decoding: record.position)
    }
}
