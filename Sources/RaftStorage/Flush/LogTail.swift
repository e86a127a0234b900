package import Raft

/// Where the last so many bytes of the log begin, as far as it was applied in this process: in spans, so that their number
/// stays small.
package struct LogTail: Hashable, Sendable {
    private struct Span: Hashable {
        var last: LogIndex
        var bytes: Int
    }

    /// Ascending.
    private var spans: [Span] = []
    private var bytes = 0
    private let limit: Int
    private let spanBytes: Int
    /// What lies behind this index has at least `limit` bytes, and hardly more; `.zero` while not so much was applied.
    package private(set) var start = LogIndex.zero

    /// Spans are a 64th of the limit.
    package init(limit: Int) {
        self.limit = limit
        spanBytes = limit / 64
    }

    /// Entries were applied, the last of them `last`.
    package mutating func applied(through last: LogIndex, bytes: Int) {
        self.bytes += bytes
        if let open = spans.indices.last, spans[open].bytes < spanBytes {
            spans[open].last = last
            spans[open].bytes += bytes
        } else {
            spans.append(Span(last: last, bytes: bytes))
        }
        var surplus = 0
        while surplus < spans.count - 1, self.bytes - spans[surplus].bytes >= limit {
            self.bytes -= spans[surplus].bytes
            start = spans[surplus].last
            surplus += 1
        }
        spans.removeFirst(surplus)
    }
}
