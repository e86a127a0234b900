import RedisServer
import Synchronization

/// Whom to tell how a segment of this node's clients ended, by its sequence.
///
/// Shared by the consensus thread, which enters segments and gives up on them, and the applier, which settles them:
/// whoever takes an entry out answers, so every segment is answered exactly once.
final class SubmissionTable: Sendable {
    struct Entry: Sendable {
        var ticket: UInt64
        var sink: any CompletionSink
    }

    private let entries = Mutex<[UInt64: Entry]>([:])

    func insert(_ entry: Entry, sequence: UInt64) { entries.withLock { $0[sequence] = entry } }

    func take(_ sequence: UInt64) -> Entry? { entries.withLock { $0.removeValue(forKey: sequence) } }
}

/// Results on their way to their sinks: one call for each sink, however many segments.
struct ResultGroups {
    private var groups: [(sink: any CompletionSink, results: [WriteResult])] = []

    mutating func add(_ result: WriteResult, for sink: any CompletionSink) {
        if let position = groups.firstIndex(where: { $0.sink === sink }) {
            groups[position].results.append(result)
        } else {
            groups.append((sink, [result]))
        }
    }

    consuming func deliver() {
        for group in groups { group.sink.writesCompleted(group.results) }
    }
}
