import Raft
import Testing

@testable import RaftStorage

/// A node's life by a seed, and what must be found of it after each kill. The same seed lives the same life, with a
/// store or without one.
struct CrashModel {
    private var random: SplitMix
    private var hardState = HardState()
    private var entries: [Entry] = []
    private var commit: UInt64 = 0
    private var applied: UInt64 = 0
    private var durable: UInt64 = 0
    private var truncated: UInt64 = 0
    private var last: UInt64 { UInt64(entries.count) }

    init(seed: UInt64) { random = SplitMix(state: seed) }

    /// Lives from a start to the moment of a kill: what was applied and not flushed is lost with it, and replayed at
    /// the next start as far as it is committed.
    mutating func live(on store: NodeStore?) throws {
        applied = commit
        for _ in 0..<Int.random(in: 5...40, using: &random) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4: try append(to: store)
            case 4..<8: try apply(to: store)
            case 8: try flush(store)
            default: try truncate(store)
            }
        }
    }

    func check(_ store: NodeStore) throws {
        let (state, replayed) = try store.recoverApplying()
        #expect(replayed == Array(durable..<commit).map { $0 + 1 })
        #expect(state.hardState == hardState)
        #expect(state.truncated.index == LogIndex(truncated))
        #expect(state.lastIndex == LogIndex(last))
        #expect([state.commit, state.applied] == [LogIndex(commit), LogIndex(commit)])
        #expect(state.unapplied == Array(entries[Int(commit)...]))
        let request = FetchRequest(
            group: group, follower: NodeID(3), from: LogIndex(truncated + 1), through: LogIndex(last), maxBytes: .max)
        #expect(try store.entries(request) == Array(entries[Int(truncated)...]))
        if commit > 0 {
            #expect(try store.appliedPayloads(through: commit) == (1...commit).map { "entry \($0)" })
        }
    }

    /// Appends entries, sometimes in a new term and over a suffix that is not committed.
    private mutating func append(to store: NodeStore?) throws {
        var truncateFrom: UInt64?
        if hardState.term == .zero || Int.random(in: 0..<3, using: &random) == 0 {
            hardState = HardState(term: hardState.term.next, vote: NodeID(1))
            let from = UInt64.random(in: commit + 1...last + 1, using: &random)
            truncateFrom = from
            entries.removeSubrange(Int(from - 1)...)
        }
        let count = UInt64.random(in: 0...5, using: &random)
        let added = (0..<count).map { entry(last + 1 + $0, term: hardState.term.rawValue) }
        entries += added
        commit = UInt64.random(in: commit...last, using: &random)
        try store?.write([
            batch(
                added, commit: commit, term: hardState.term.rawValue, vote: hardState.vote, truncateFrom: truncateFrom)
        ])
    }

    private mutating func apply(to store: NodeStore?) throws {
        guard applied < commit else { return }
        let through = UInt64.random(in: applied + 1...commit, using: &random)
        try store?.apply(Array(entries[Int(applied)..<Int(through)]))
        applied = through
    }

    private mutating func flush(_ store: NodeStore?) throws {
        try store?.flushState()
        durable = applied
    }

    private mutating func truncate(_ store: NodeStore?) throws {
        guard truncated < durable else { return }
        truncated = UInt64.random(in: truncated + 1...durable, using: &random)
        _ = try store?.truncateLog(group, through: LogIndex(truncated))
    }
}

/// Random numbers that a seed repeats (SplitMix64, Steele et al. 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
