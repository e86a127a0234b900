import ByteCoding

/// All sessions of a group, in memory: what the state holds, plus the order of their last uses, which a state that is
/// ordered by key can't give without a walk.
///
/// It holds as long as the units follow one another: whatever replaces the state behind the machine (the snapshot of a
/// leader) also moves the position forward, so a gap before the next unit says that the table must be loaded anew.
///
/// Bounded by `SessionLimits.maxSessions`. Owned by the machine's thread.
final class SessionTable {
    /// Opening a session removes at most so many others, so that no command's work grows with a limit that was lowered
    /// or with sessions that expired together; one more goes with each session that is opened later.
    static let maxRemovalsPerOpen = 4

    private var records: [SessionID: SessionRecord] = [:]
    /// Uses from the least recent on. One that the session's next use has outdated stays until it is met or swept.
    private var uses: [(session: SessionID, by: Version)] = []
    private var firstUse = 0
    private var isLoaded = false
    /// The index of the unit that must come next for the table to hold.
    private var nextIndex: UInt64?
    var statistics = SessionStatistics()

    var count: Int { records.count }

    subscript(session: SessionID) -> SessionRecord? { records[session] }

    /// Enters a session, or its next use, which must come after those of all others.
    func put(_ session: SessionID, _ record: SessionRecord) {
        records[session] = record
        uses.append((session, record.used))
        sweep()
    }

    func remove(_ session: SessionID) { records[session] = nil }

    /// The session whose last use is oldest, by the order of the log.
    var leastRecentlyUsed: SessionID? {
        while firstUse < uses.count {
            let use = uses[firstUse]
            if isLast(use) { return use.session }
            firstUse += 1
        }
        return nil
    }

    /// The units from `index` on are about to be applied.
    func willApply(from index: UInt64) {
        if index != nextIndex { isLoaded = false }
    }

    /// The units up to `index` are in the state.
    func didApply(through index: UInt64) { nextIndex = index &+ 1 }

    /// Holds what the state of the group holds. Before the first session command of a batch: what the batch has done
    /// before concerns no session.
    func loadIfNeeded(from store: some StateStore, group: UInt64) throws(StateStoreError) {
        guard !isLoaded else { return }
        try load(from: store, group: group)
        isLoaded = true
        statistics.loaded += 1
    }

    private func load(from store: some StateStore, group: UInt64) throws(StateStoreError) {
        (records, uses, firstUse) = ([:], [], 0)
        let (lower, upper) = StateKey.sessionRange(group: group)
        var found: [(key: Bytes, record: Bytes)] = []
        try store.scan(from: lower, to: upper) { key, record in
            found.append((Bytes(copying: key), Bytes(copying: record)))
            return true
        }
        for (key, stored) in found {
            guard let session = StateKey.session(ofKey: key) else {
                throw StateStoreError(.corruption, "a session's key has \(key.count) bytes")
            }
            let record = try SessionRecord(decoding: stored)
            records[session] = record
            uses.append((session, record.used))
        }
        uses.sort { ($0.by.index, $0.by.ordinal) < ($1.by.index, $1.by.ordinal) }
    }

    /// Uses that are remembered, outdated ones too; for tests.
    var rememberedUses: Int { uses.count }

    private func isLast(_ use: (session: SessionID, by: Version)) -> Bool { records[use.session]?.used == use.by }

    /// Keeps the list of uses within twice the number of sessions; costs one step for each use in the long run.
    private func sweep() {
        guard uses.count > 2 * records.count + 64 else { return }
        uses = uses[firstUse...].filter(isLast)
        firstUse = 0
    }
}
