import DequeModule

/// What the core knows of its log: the term of every entry, and the newest entries themselves.
///
/// ```
///        base          firstCached                                 lastIndex
///   cut   |  only terms   |  entries in memory                         |
/// --------+---------------+------+----------+----------+---------------+
///                            applied    applying     commit
/// ```
/// Entries that are not durable or not applied are always in memory; older ones stay as long as the cache has room.
struct Log: Hashable, Sendable {
    private(set) var terms: TermRuns
    /// Contiguous, up to `lastIndex`.
    private var cache: Deque<Entry>
    /// `footprintBytes` of all entries in memory.
    private(set) var cachedBytes: Int
    private(set) var commitIndex: LogIndex
    /// Handed out to be applied. `appliedIndex <= applyingIndex <= commitIndex`
    private(set) var applyingIndex: LogIndex
    /// Reported as applied.
    private(set) var appliedIndex: LogIndex
    /// No change of the membership lies behind this index. (One that was truncated may still be counted.)
    private var newestMembershipIndex: LogIndex
    /// How many bytes lie behind which index.
    private(set) var sizes = LogSizes()

    /// - Parameter unapplied: every entry after `applied`; its caller has checked that they fit the terms.
    init(terms: TermRuns, unapplied: [Entry], commit: LogIndex, applied: LogIndex) {
        self.terms = terms
        self.cache = Deque(unapplied)
        self.cachedBytes = unapplied.reduce(0) { $0 + $1.footprintBytes }
        self.commitIndex = commit
        self.applyingIndex = applied
        self.appliedIndex = applied
        self.newestMembershipIndex = unapplied.last { $0.kind == .membership }?.index ?? .zero
        for entry in unapplied { sizes.append(entry) }
    }

    /// An empty log behind a snapshot.
    init(after snapshot: EntryID) {
        self.init(
            terms: TermRuns(base: snapshot), unapplied: [], commit: snapshot.index, applied: snapshot.index)
    }

    var base: EntryID { terms.base }
    var last: EntryID { terms.last }
    var lastIndex: LogIndex { terms.lastIndex }
    /// Index of the oldest entry in memory; one past the end when there is none.
    var firstCachedIndex: LogIndex { LogIndex(lastIndex.rawValue + 1 - UInt64(cache.count)) }

    func term(at index: LogIndex) -> Term? { terms.term(at: index) }

    /// - Precondition: the entry follows the last one.
    mutating func append(_ entry: Entry) {
        terms.append(entry.id)
        cache.append(entry)
        cachedBytes += entry.footprintBytes
        sizes.append(entry)
        if entry.kind == .membership { newestMembershipIndex = entry.index }
    }

    /// Removes the entries from `index` on.
    ///
    /// - Precondition: they are not committed, so all of them are in memory.
    mutating func truncate(from index: LogIndex) {
        precondition(index > commitIndex, "truncation from \(index), but \(commitIndex) is committed")
        let before = cachedBytes
        while let entry = cache.last, entry.index >= index {
            cachedBytes -= entry.footprintBytes
            cache.removeLast()
        }
        terms.removeAll(from: index)
        sizes.removeAll(from: index, bytes: before - cachedBytes)
    }

    /// Entries of `first ... through`, as many as come before the one that would exceed `maxBytes`, but at least one.
    ///
    /// - Parameter known: a slice of this log; returned instead of a copy when it is the answer, since the disk and
    ///   most followers are given the same entries.
    /// - Precondition: `firstCachedIndex <= first <= through <= lastIndex`.
    func slice(from first: LogIndex, through: LogIndex, maxBytes: Int, known: EntrySlice? = nil) -> EntrySlice {
        if let known, known.first == first, known.last == through, known.bytes <= maxBytes { return known }
        let start = position(of: first)
        let limit = position(of: through)
        var bytes = cache[start].footprintBytes
        var end = start + 1
        while end <= limit, bytes + cache[end].footprintBytes <= maxBytes {
            bytes += cache[end].footprintBytes
            end += 1
        }
        return EntrySlice(first: first, entries: Array(cache[start..<end]), bytes: bytes)
    }

    /// What the entries of `first ... through` that callers proposed count against `maxUncommittedBytes`.
    ///
    /// - Precondition: as for `slice`, but the range may be empty.
    func proposedBytes(from first: LogIndex, through: LogIndex) -> Int {
        guard first <= through else { return 0 }
        var bytes = 0
        for position in position(of: first)...position(of: through) where cache[position].kind == .normal {
            bytes += cache[position].footprintBytes
        }
        return bytes
    }

    mutating func commit(through index: LogIndex) {
        precondition(index >= commitIndex && index <= lastIndex, "commit of \(index) in \(commitIndex)...\(lastIndex)")
        commitIndex = index
    }

    /// Takes the next entries that may be applied, not beyond `limit`; `nil` when there are none.
    mutating func takeUnapplied(through limit: LogIndex, maxBytes: Int) -> [Entry]? {
        let through = min(limit, commitIndex)
        guard applyingIndex < through else { return nil }
        let slice = slice(from: applyingIndex.next, through: through, maxBytes: maxBytes)
        applyingIndex = slice.last
        return slice.entries
    }

    /// - Precondition: `appliedIndex <= index <= applyingIndex`.
    mutating func applied(through index: LogIndex) {
        precondition(
            index >= appliedIndex && index <= applyingIndex, "\(index) not in \(appliedIndex)...\(applyingIndex)")
        appliedIndex = index
    }

    /// Bytes of what is committed and not applied, to within half a megabyte.
    var backlogBytes: Int { sizes.bytes(through: commitIndex) - sizes.bytes(through: appliedIndex) }

    /// Whether something committed and not applied changes the membership.
    var holdsUnappliedMembershipChange: Bool { !membershipChanges(after: appliedIndex, through: commitIndex).isEmpty }

    /// The entries of `first+1 ... through` that change the membership.
    ///
    /// - Precondition: they are in memory, as all unapplied ones are.
    func membershipChanges(after first: LogIndex, through: LogIndex) -> [Entry] {
        guard newestMembershipIndex > first, first < through else { return [] }
        return cache[position(of: first.next)...position(of: through)].filter { $0.kind == .membership }
    }

    /// Forgets the oldest entries that are applied and durable while the cache is larger than `maxBytes`.
    mutating func evict(durable: LogIndex, maxBytes: Int) {
        let limit = min(durable, appliedIndex)
        while cachedBytes > maxBytes, let oldest = cache.first, oldest.index <= limit {
            cachedBytes -= oldest.footprintBytes
            cache.removeFirst()
        }
    }

    /// Cuts the log up to and including `id`.
    ///
    /// - Precondition: `id` is in the log and applied.
    mutating func compact(through id: EntryID) {
        terms.compact(through: id)
        sizes.compact(through: id.index)
        while let oldest = cache.first, oldest.index <= id.index {
            cachedBytes -= oldest.footprintBytes
            cache.removeFirst()
        }
    }

    private func position(of index: LogIndex) -> Int { Int(index.rawValue - firstCachedIndex.rawValue) }
}

/// Some contiguous entries, at least one.
struct EntrySlice: Sendable {
    let first: LogIndex
    let entries: [Entry]
    /// The sum of their `footprintBytes`.
    let bytes: Int

    var last: LogIndex { LogIndex(first.rawValue + UInt64(entries.count) - 1) }
}
