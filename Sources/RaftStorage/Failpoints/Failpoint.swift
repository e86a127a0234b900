import Synchronization

/// A named place where a test can make the node fail on purpose: what happens there is a `FailpointAction`.
///
/// A place that nothing is ordered for costs one load of a word that never changes. Orders hold for the process, as a crash
/// does: see `FailpointBoard`. The name of a place is that of its case: `log-before-sync`.
package enum Failpoint: UInt8, CaseIterable, Hashable, Sendable {
    // MARK: The log
    /// A write of the log comes next; nothing of it is on the disk.
    case logBeforeSync
    /// A write of the log is durable, and nobody was told.
    case logAfterSync
    /// The consensus thread was told that a write is durable.
    case logAfterReport
    case truncateBefore
    /// The cut is written, not synced.
    case truncateAfter

    // MARK: The state
    case applyBefore
    /// A page is in the state, and its clients were not told.
    case applyAfter
    /// The clients of a page were told, the consensus thread was not.
    case applyAfterReply
    /// A user's value goes into the state.
    case statePut
    case flushBefore
    case flushAfter

    // MARK: Metadata
    case suspectBeforeWrite
    case suspectAfterWrite
    case peerBeforeWrite
    case peerAfterWrite
    /// A record that is seldom written is synced to the log of its family, which is not flushed.
    case rareBeforeFlush

    // MARK: Snapshots, made and sent
    case snapshotMakeBefore
    /// Each block of pairs.
    case snapshotMakeBlock
    /// Written and synced, under a draft's name.
    case snapshotMakeBeforeRename
    case snapshotMakeAfterRename
    case snapshotSendBefore
    /// Each chunk that is read to be sent.
    case snapshotSendChunk
    case snapshotSendAfter

    // MARK: Snapshots, received and installed
    case snapshotReceiveBefore
    /// Each chunk that came.
    case snapshotReceiveChunk
    case snapshotReceiveBeforeSync
    case snapshotReceiveBeforeRename
    case snapshotReceiveAfterRename
    case installBefore
    /// The new generation's family exists, and is empty.
    case installAfterCreate
    /// Each pair of the new generation.
    case installWhileLoading
    case installBeforeIngest
    /// The new generation is complete, and nobody knows of it.
    case installAfterIngest
    /// The new generation is the state, durably.
    case installAfterPointer
    /// The old generation is dropped.
    case installAfterDrop
    /// The received file is removed.
    case installAfterRemove

    // MARK: Start and end
    /// A new directory has its identity and nothing else.
    case foundAfterIdentity
    /// A new database has its families and no record.
    case foundBeforeRecords
    /// A new database is complete, and the directory does not say so.
    case foundBeforeMark
    /// The directory is locked, the database closed.
    case recoverBeforeOpen
    case recoverAfterOpen
    /// A generation that nobody knows comes next to be dropped.
    case recoverBeforeOrphan
    case recoverBeforeReplay
    /// Each batch that was applied again.
    case recoverWhileReplaying
    case recoverAfterReplay
    /// A repair that the node does by itself was noted, and comes next.
    case repairBefore
    /// The copy of the database is complete, under a draft's name.
    case repairBeforeCopyRename
    /// The repair is in the database, and the directory's mark still there.
    case repairBeforeUnmark
    /// The repair is done, and its note still open.
    case repairBeforeDone
    case closeBeforeFlush
    case closeBeforeClose

    // MARK: Membership and leadership
    /// The leader is about to propose a change.
    case memberBeforePropose
    /// A write with a change in it comes next.
    case memberBeforeSync
    /// A write with a change in it is durable, and nobody was told.
    case memberAfterSync
    case memberBeforeApply
    /// A change is in the state, and the consensus thread was not told.
    case memberAfterApply
    /// This node was removed, and has no note of it.
    case leaveBeforeWrite
    case leaveAfterWrite
    /// The leader is about to hand over.
    case transferBefore
    /// A node was asked to take over.
    case transferReceived
    /// The leader knows how the hand-over ended.
    case transferAfter
}

extension Failpoint {
    /// The case's name in lower case with dashes.
    package var name: String {
        "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
    }

    /// The place of that name.
    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Whether an error of the storage can be made here.
    package var mayFail: Bool {
        switch self {
        case .logBeforeSync, .logAfterSync, .truncateBefore, .applyBefore, .flushBefore, .flushAfter,
            .suspectBeforeWrite, .peerBeforeWrite, .snapshotMakeBlock, .snapshotMakeBeforeRename,
            .snapshotSendChunk, .snapshotReceiveChunk, .snapshotReceiveBeforeSync, .snapshotReceiveBeforeRename,
            .installBefore, .installAfterCreate, .installWhileLoading, .installBeforeIngest, .installAfterIngest,
            .installAfterPointer, .leaveBeforeWrite:
            true
        default: false
        }
    }

    /// Whether what comes next can be left out, as if it had been done.
    package var mayLose: Bool { self == .logBeforeSync }

    /// Whether what comes next can be done wrongly, without a word.
    package var mayAlter: Bool { self == .statePut }
}

// MARK: - The places themselves

extension Failpoint {
    /// Whether anything is ordered for this place.
    var isArmed: Bool { FailpointBoard.armed.load(ordering: .relaxed) & 1 << rawValue != 0 }

    /// A place where the process can crash or pause.
    package func reach() {
        if isArmed { _ = FailpointBoard.reach(self) }
    }

    /// As `reach`, where `condition` holds; it is asked only when something is ordered.
    package func reach(when condition: @autoclosure () -> Bool) {
        if isArmed, condition() { _ = FailpointBoard.reach(self) }
    }

    /// As `reach`, and the storage can fail here.
    package func reachOrFail() throws(StorageError) { _ = try reachOrLose() }

    /// As `reach`, where `condition` holds; true: what comes next is to be done wrongly.
    @inline(__always)
    func reachToAlter(when condition: @autoclosure () -> Bool) -> Bool {
        isArmed && condition() && FailpointBoard.reach(self) == .alter
    }

    /// As `reachOrFail`; false: what comes next is to be left out.
    func reachOrLose() throws(StorageError) -> Bool {
        guard isArmed else { return true }
        switch FailpointBoard.reach(self) {
        case .error: throw StorageError(.io, "failpoint \(name)", remedy: "it was ordered by ROOST.DEBUG FAILPOINT")
        case .lose: return false
        case .crash, .pause, .alter, nil: return true
        }
    }
}
