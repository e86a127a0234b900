import ByteCoding
import Foundation
import Raft
import Testing

@testable import RaftStorage

/// Kills at random moments, against a model. A killed process is a copy of its directory at that moment: what the
/// process had handed to the operating system is there, nothing else. (What a power cut loses beyond that is tested
/// elsewhere.)
@Suite("Crashes")
struct CrashTests {
    /// What must be found again, whatever happens.
    private struct Model {
        var hardState = HardState(term: Term(1))
        var entries: [Entry] = []
        var commit: UInt64 = 0
        var applied: UInt64 = 0
        var durable: UInt64 = 0
        var truncated: UInt64 = 0
        var last: UInt64 { UInt64(entries.count) }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func `a killed node finds what it had promised`(seed: UInt64) throws
    {
        var random = SplitMix(state: seed)
        var node = try TestNode()
        var store = try node.open()
        _ = try store.recoverApplying()
        var model = Model()
        try store.write([batch(term: 1)])
        for _ in 0..<4 {
            for _ in 0..<Int.random(in: 1...25, using: &random) { try act(store, &model, &random) }
            node = try node.crashCopy()
            store = try node.open()
            try check(store, &model)
        }
    }

    private func act(_ store: NodeStore, _ model: inout Model, _ random: inout SplitMix) throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: try append(store, &model, &random)
        case 4..<8:
            guard model.applied < model.commit else { return }
            let through = UInt64.random(in: model.applied + 1...model.commit, using: &random)
            try store.apply(Array(model.entries[Int(model.applied)..<Int(through)]))
            model.applied = through
        case 8:
            try store.flushState()
            model.durable = model.applied
            #expect(try store.durableApplied(group).index == LogIndex(model.durable))
        default:
            guard model.truncated < model.durable else { return }
            let through = UInt64.random(in: model.truncated + 1...model.durable, using: &random)
            #expect(try store.truncateLog(group, through: LogIndex(through)) == model.entries[Int(through) - 1].id)
            model.truncated = through
        }
    }

    /// Appends entries, sometimes in a new term and over a suffix that is not committed.
    private func append(_ store: NodeStore, _ model: inout Model, _ random: inout SplitMix) throws {
        var truncateFrom: UInt64?
        if Int.random(in: 0..<3, using: &random) == 0 {
            model.hardState = HardState(term: model.hardState.term.next, vote: NodeID(1))
            let from = UInt64.random(in: model.commit + 1...model.last + 1, using: &random)
            truncateFrom = from
            model.entries.removeSubrange(Int(from - 1)...)
        }
        let count = UInt64.random(in: 0...5, using: &random)
        let added = (0..<count).map { entry(model.last + 1 + $0, term: model.hardState.term.rawValue) }
        model.entries += added
        model.commit = UInt64.random(in: model.commit...model.last, using: &random)
        try store.write([
            batch(
                added, commit: model.commit, term: model.hardState.term.rawValue, vote: model.hardState.vote,
                truncateFrom: truncateFrom)
        ])
    }

    private func check(_ store: NodeStore, _ model: inout Model) throws {
        let (state, replayed) = try store.recoverApplying()
        #expect(replayed == Array(model.durable..<max(model.commit, model.durable)).map { $0 + 1 })
        model.applied = max(model.commit, model.durable)
        #expect(state.hardState == model.hardState)
        #expect(state.truncated.index == LogIndex(model.truncated))
        #expect(state.lastIndex == LogIndex(model.last))
        #expect([state.commit, state.applied] == [LogIndex(model.applied), LogIndex(model.applied)])
        #expect(state.unapplied == Array(model.entries[Int(model.applied)...]))
        if model.truncated < model.last {
            let found = try store.entries(
                FetchRequest(
                    group: group, follower: NodeID(3), from: LogIndex(model.truncated + 1),
                    through: LogIndex(model.last), maxBytes: .max))
            #expect(found == Array(model.entries[Int(model.truncated)...]))
        }
        guard model.applied > 0 else { return }
        let payloads = try store.appliedPayloads(through: model.applied)
        #expect(payloads == (1...model.applied).map { "entry \($0)" })
    }

    @Test(arguments: [1, 20, 100]) func `a torn last write is cut as a whole, and the node starts`(torn: Int) throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...5), commit: 3, term: 1)])
        try store.write([batch(entries(4...9, term: 2), commit: 7, term: 2, truncateFrom: 4)])
        let crashed = try node.crashCopy()
        try crashed.edit(try crashed.walName()) { $0.removeLast(torn) }
        let state = try crashed.open().recoverApplying().state
        #expect(state.hardState == HardState(term: Term(1)))
        #expect([state.lastIndex, state.commit] == [LogIndex(5), LogIndex(3)])
        withExtendedLifetime(store) {}
    }

    @Test func `damage before the end of the log refuses to start`() throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...5), term: 1)])
        try store.write([batch(entries(6...9))])
        let crashed = try node.crashCopy()
        try crashed.edit(try crashed.walName()) { $0[30] ^= 1 }
        let error = #expect(throws: StorageError.self) { try crashed.open() }
        #expect(error?.kind == .corruption)
        withExtendedLifetime(store) {}
    }
}

extension TestNode {
    /// The newest file of the write-ahead log, as a path within the directory.
    fileprivate func walName() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: path("db")).filter { $0.hasSuffix(".log") }
        return "db/" + names.max()!
    }
}

/// Random numbers that a seed repeats (SplitMix64, Steele et al. 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
