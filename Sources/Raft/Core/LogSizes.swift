import DequeModule

/// How many bytes of entries lie behind an index, to within `granularity`.
///
/// Counts what was appended since the node started: entries that were on disk before count nothing, which only means
/// that they are kept a little longer.
struct LogSizes: Hashable, Sendable {
    private struct Mark: Hashable, Sendable {
        /// An entry of the log ...
        var index: LogIndex
        /// ... and the bytes of everything up to and including it.
        var total: Int
    }

    private static let granularity = 256 << 10

    /// Ascending in both; at least `granularity` bytes apart.
    private var marks: Deque<Mark> = []
    private var total = 0
    /// Total of the last mark that left with the beginning of the log.
    private var compacted = 0

    mutating func append(_ entry: Entry) {
        total += entry.footprintBytes
        if total - (marks.last?.total ?? 0) >= Self.granularity { marks.append(Mark(index: entry.index, total: total)) }
    }

    /// The entries from `index` on, of `bytes` together, left the log.
    mutating func removeAll(from index: LogIndex, bytes: Int) {
        while let mark = marks.last, mark.index >= index { marks.removeLast() }
        total -= bytes
    }

    /// The entries up to `index` left the log.
    mutating func compact(through index: LogIndex) {
        while let mark = marks.first, mark.index <= index {
            compacted = mark.total
            marks.removeFirst()
        }
    }

    /// Bytes of everything up to `index`, as far as the marks tell: never too many.
    func bytes(through index: LogIndex) -> Int {
        let behind = firstMark { $0.index > index }
        return behind == marks.startIndex ? compacted : marks[behind - 1].total
    }

    /// The highest index with at least `bytes` behind it, as far as the marks tell; `.zero`: none.
    func lastIndex(leaving bytes: Int) -> LogIndex {
        let behind = firstMark { total - $0.total < bytes }
        return behind == marks.startIndex ? .zero : marks[behind - 1].index
    }

    /// The place of the first mark that fits, given that all after it fit too; one past the end if none does.
    private func firstMark(where fits: (Mark) -> Bool) -> Int {
        var (low, high) = (marks.startIndex, marks.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if fits(marks[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
