/// The term of every entry of the log, without the entries.
///
/// Terms only grow along a log, so it is a short list of runs (one for each leadership that wrote something) and stays
/// in memory for the whole log: elections, consistency checks and back-tracking never read the store.
struct TermRuns: Hashable, Sendable {
    /// The last entry that was cut off; the entry before the first.
    private(set) var base: EntryID
    private(set) var lastIndex: LogIndex
    /// (first index, term) of each run, ascending in both.
    private var runs: [EntryID]

    /// - Returns: `nil` when the runs are no log: out of order, outside of `base ... lastIndex`, or none for entries.
    init?(base: EntryID, runs: [EntryID], lastIndex: LogIndex) {
        guard lastIndex >= base.index, runs.isEmpty == (lastIndex == base.index) else { return nil }
        if let first = runs.first, first.index != base.index.next || first.term < base.term { return nil }
        for (run, following) in zip(runs, runs.dropFirst())
        where run.index >= following.index || run.term >= following.term { return nil }
        if let last = runs.last, last.index > lastIndex { return nil }
        self.base = base
        self.runs = runs
        self.lastIndex = lastIndex
    }

    /// No entries.
    init(base: EntryID) {
        self.base = base
        lastIndex = base.index
        runs = []
    }

    /// The last entry; `base` when there is none.
    var last: EntryID { EntryID(term: runs.last?.term ?? base.term, index: lastIndex) }

    /// `nil` outside of `base.index ... lastIndex`.
    func term(at index: LogIndex) -> Term? {
        guard index >= base.index, index <= lastIndex else { return nil }
        guard let position = runPosition(of: index) else { return base.term }
        return runs[position].term
    }

    /// The last entry here that an entry of another log at `id.index` with `id.term` leaves possible: the largest index
    /// <= `id.index` whose term is <= `id.term`; `base` when there is none.
    ///
    /// Both sides of a failed consistency check step back with it, so that each term costs at most one probe.
    func lastPossibleMatch(with id: EntryID) -> EntryID {
        var index = min(id.index, lastIndex)
        guard var position = runPosition(of: index) else { return base }
        while runs[position].term > id.term {
            guard position > 0 else { return base }
            index = runs[position].index.previous
            position -= 1
        }
        return EntryID(term: runs[position].term, index: index)
    }

    /// - Precondition: `id` follows the last entry, in a term that is not smaller.
    mutating func append(_ id: EntryID) {
        let last = last
        precondition(id.index == last.index.next && id.term >= last.term, "entry \(id) after \(last)")
        if runs.isEmpty || id.term > last.term { runs.append(id) }
        lastIndex = id.index
    }

    /// Removes the entries from `index` on.
    ///
    /// - Precondition: `base.index < index`.
    mutating func removeAll(from index: LogIndex) {
        precondition(index > base.index, "removal from \(index), but the log starts after \(base)")
        guard index <= lastIndex else { return }
        while let run = runs.last, run.index >= index { runs.removeLast() }
        lastIndex = index.previous
    }

    /// Cuts off everything up to and including `id`.
    ///
    /// - Precondition: `id` is in the log.
    mutating func compact(through id: EntryID) {
        precondition(term(at: id.index) == id.term, "cut through \(id), which is not in the log")
        guard id.index > base.index, let position = runPosition(of: id.index) else { return }
        runs.removeFirst(position)
        let isWholeRun = runs.count > 1 ? runs[1].index == id.index.next : id.index == lastIndex
        if isWholeRun { runs.removeFirst() } else { runs[0].index = id.index.next }
        base = id
    }

    /// The run that holds `index`; `nil` at or below `base`.
    private func runPosition(of index: LogIndex) -> Int? {
        guard let newest = runs.last else { return nil }
        if index >= newest.index { return runs.count - 1 }
        var (low, high) = (0, runs.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].index <= index { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }
}
