package import Raft

/// What was applied since the state's durable position, in spans coarse enough that their number stays small: a span
/// counts until all of it is durable, so sums err on the high side, by less than a span.
package struct UnflushedWork: Hashable, Sendable {
    private struct Span: Hashable {
        var last: LogIndex
        var entries: Int
        var bytes: Int
        var oldest: MonotonicTime
    }

    /// Ascending.
    private var spans: [Span] = []
    private let spanBytes: Int
    private let spanEntries: Int
    package private(set) var entries = 0
    /// Payload bytes of the entries.
    package private(set) var bytes = 0

    /// Spans are a 64th of what the policy allows.
    package init(_ policy: FlushPolicy) {
        spanBytes = policy.maxBytes / 64
        spanEntries = policy.maxEntries / 64
    }

    /// When the oldest of it was applied; nil if there is nothing.
    package var oldest: MonotonicTime? { spans.first?.oldest }

    /// The last of it; nil if there is nothing.
    package var last: LogIndex? { spans.last?.last }

    /// Entries were applied, the last of them `last`.
    package mutating func applied(through last: LogIndex, entries: Int, bytes: Int, now: MonotonicTime) {
        self.entries += entries
        self.bytes += bytes
        if let open = spans.indices.last, spans[open].bytes < spanBytes, spans[open].entries < spanEntries {
            spans[open].last = last
            spans[open].entries += entries
            spans[open].bytes += bytes
        } else {
            spans.append(Span(last: last, entries: entries, bytes: bytes, oldest: now))
        }
    }

    /// The state is durable up to `index`, by whichever flush.
    package mutating func durable(through index: LogIndex) {
        let done = spans.prefix { $0.last <= index }
        for span in done {
            entries -= span.entries
            bytes -= span.bytes
        }
        spans.removeFirst(done.count)
    }
}
