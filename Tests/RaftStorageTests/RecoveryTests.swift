import ByteCoding
import KeyValue
import Raft
import Testing

@testable import RaftStorage

@Suite("Recovery")
struct RecoveryTests {
    let node: TestNode

    init() throws { node = try TestNode() }

    /// A store that holds `1 ... 20` in terms 1 (to 6) and 2, committed to 15 and applied to 10, of which `flushed` are
    /// durable.
    private func filledStore(flushed: UInt64 = 8) throws -> NodeStore {
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...6), term: 1, vote: NodeID(1))])
        try store.write([batch(entries(7...20, term: 2), commit: 15, term: 2, vote: NodeID(3))])
        for index in 1...10 as ClosedRange<UInt64> {
            try store.apply([entry(index, term: index <= 6 ? 1 : 2)])
            if index == flushed { try store.flushState() }
        }
        return store
    }

    private func refusal(_ node: TestNode) throws -> StorageError? {
        let store = try node.open()
        return #expect(throws: StorageError.self) { try store.recoverApplying() }
    }

    @Test(arguments: LogTests.engines) func `a new group starts empty with its founders`(
        engine: StoreConfiguration.Engine
    ) throws {
        let (state, replayed) = try node.open { $0.engine = engine }.recoverApplying()
        #expect(replayed == [])
        #expect(state.hardState == HardState())
        #expect(state.membership == founders)
        #expect(state.truncated == .zero)
        #expect(state.termRuns == [])
        #expect([state.lastIndex, state.commit, state.applied] == [.zero, .zero, .zero])
        #expect(state.unapplied == [])
    }

    @Test(arguments: [0, 8, 10] as [UInt64])
    func `a killed node replays what is committed from its last flush on`(flushed: UInt64) throws {
        let store = try filledStore(flushed: flushed)
        let crashed = try node.crashCopy(store).open()
        let (state, replayed) = try crashed.recoverApplying()
        #expect(replayed == Array(flushed + 1...15))
        #expect(state.hardState == HardState(term: Term(2), vote: NodeID(3)))
        #expect(state.membership == founders)
        #expect(
            state.termRuns
                == [EntryID(term: Term(1), index: LogIndex(1)), EntryID(term: Term(2), index: LogIndex(7))])
        #expect([state.lastIndex, state.commit, state.applied] == [LogIndex(20), LogIndex(15), LogIndex(15)])
        #expect(state.unapplied == entries(16...20, term: 2))
        #expect(try crashed.appliedPayloads(through: 16) == (1...15).map { "entry \($0)" } + [nil])
    }

    @Test func `a closed node has nothing to replay but what is committed and was not applied`() throws {
        try filledStore().close()
        let (state, replayed) = try node.open().recoverApplying()
        #expect(replayed == Array(11...15))
        #expect(state.applied == LogIndex(15))
    }

    @Test func `what was replayed need not be replayed after the next kill, once flushed`() throws {
        let store = try filledStore()
        let first = try node.crashCopy(store)
        let crashed = try first.open()
        #expect(try crashed.recoverApplying().replayed == Array(9...15))
        #expect(try first.crashCopy(crashed).open().recoverApplying().replayed == Array(9...15))
        try crashed.flushState()
        #expect(try first.crashCopy(crashed).open().recoverApplying().replayed == [])
    }

    @Test func `a recovered node goes on writing where it stopped`() throws {
        try filledStore().close()
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(18...21, term: 3), commit: 16, term: 3, truncateFrom: 18)])
        let state = try node.crashCopy(store).open().recoverApplying().state
        #expect(state.termRuns.last == EntryID(term: Term(3), index: LogIndex(18)))
        #expect(state.lastIndex == LogIndex(21))
        #expect(state.commit == LogIndex(16))
        #expect(state.hardState == HardState(term: Term(3)))
    }

    @Test func `a state that is ahead of the commit hint counts as committed`() throws {
        let store = try filledStore()
        try store.apply(entries(11...18, term: 2))
        try store.flushState()
        let state = try node.crashCopy(store).open().recoverApplying().state
        #expect([state.commit, state.applied] == [LogIndex(18), LogIndex(18)])
    }

    @Test func `a long log is replayed in batches, in order, with news of the progress`() throws {
        let store = try node.open()
        _ = try store.recoverApplying()
        for first in stride(from: 1, to: 3000, by: 1000) as StrideTo<UInt64> {
            try store.write([batch(entries(first...first + 999), commit: first + 999, term: 1)])
        }
        let crashed = try node.crashCopy(store).open()
        var sizes: [Int] = []
        let state = try crashed.recover(group, founders: founders) { (entries) throws(StorageError) in
            sizes.append(entries.count)
            try crashed.apply(entries)
        }
        #expect(sizes == [1024, 1024, 952])
        #expect(state.applied == LogIndex(3000))
    }

    @Test func `replay stops where the state machine throws`() throws {
        let store = try filledStore()
        let crashed = try node.crashCopy(store).open()
        let refusal = StorageError(.corruption, "can't apply")
        #expect(throws: refusal) {
            try crashed.recover(group, founders: founders) { (_) throws(StorageError) in throw refusal }
        }
    }

    @Test func `a replay that doesn't reach its end is noticed`() throws {
        let store = try filledStore()
        let crashed = try node.crashCopy(store).open()
        let error = #expect(throws: StorageError.self) {
            try crashed.recover(group, founders: founders) { (_) throws(StorageError) in }
        }
        #expect(error?.kind == .invariant)
    }

    // MARK: Directories that are not what they were

    @Test func `a state ahead of the log means that log was lost`() throws {
        let store = try filledStore()
        try store.apply(entries(11...25, term: 2))
        try store.close()
        let error = try refusal(node)
        #expect(error?.kind == .corruption)
        #expect(error?.message.contains("log was lost") == true)
    }

    @Test func `a commit hint ahead of the log means that log was lost`() throws {
        let store = try filledStore()
        try store.rocks.put(RaftKey.commit(group), CommitRecord.encode(LogIndex(21), group: group))
        try store.close()
        #expect(try refusal(node)?.message.contains("log was lost") == true)
    }

    @Test func `a state behind the cut means that state was lost`() throws {
        let store = try filledStore(flushed: 10)
        _ = try store.truncateLog(group, through: LogIndex(9))
        try store.apply(entries(8...8, term: 2))
        try store.close()
        let error = try refusal(node)
        #expect(error?.kind == .corruption)
        #expect(error?.message.contains("state was lost") == true)
    }

    @Test func `an entry missing from the middle is a gap`() throws {
        let store = try filledStore()
        try store.rocks.delete(RaftKey.entry(group, LogIndex(12)))
        try store.close()
        #expect(try refusal(node)?.message.contains("gap between 11 and 13") == true)
    }

    @Test func `an entry missing right after the cut is a gap`() throws {
        let store = try filledStore()
        try store.rocks.delete(RaftKey.entry(group, LogIndex(1)))
        try store.close()
        #expect(try refusal(node)?.message.contains("gap between 0 and 2") == true)
    }

    @Test func `a rotten entry is found although it is applied long since`() throws {
        let store = try filledStore()
        let value = try #require(try store.rocks.get(RaftKey.entry(group, LogIndex(2))))
        try store.rocks.put(RaftKey.entry(group, LogIndex(2)), value.flipped(at: 14))
        try store.close()
        #expect(try refusal(node)?.message.contains("log entry 2 of group 1: wrong checksum") == true)
    }

    @Test func `an intact entry in another's place is found`() throws {
        let store = try filledStore()
        let value = try #require(try store.rocks.get(RaftKey.entry(group, LogIndex(17))))
        try store.rocks.put(RaftKey.entry(group, LogIndex(18)), value)
        try store.close()
        #expect(try refusal(node)?.kind == .corruption)
    }

    @Test func `terms that decrease are found`() throws {
        let store = try filledStore()
        try store.write([batch(entries(21...21, term: 1))])
        try store.close()
        #expect(try refusal(node)?.message.contains("term 1 after 2") == true)
    }

    @Test func `a hard state older than the log means that it was lost`() throws {
        let store = try filledStore()
        try store.rocks.delete(RaftKey.hardState(group))
        try store.close()
        #expect(try refusal(node)?.message.contains("its hard state only 0") == true)
    }

    @Test func `a state built from another log is found`() throws {
        let store = try filledStore()
        try store.apply(entries(11...11, term: 1))
        try store.close()
        let error = try refusal(node)
        #expect(error?.message.contains("holds entry 11 of term 1, the log one of term 2") == true)
        #expect(error?.damaged == .state)
    }

    /// A node of an older version must not throw away what it does not understand.
    @Test func `an entry of a later version is refused, and nothing is given up for it`() throws {
        let store = try filledStore()
        try store.rocks.put(
            RaftKey.entry(group, LogIndex(18)), RecordDamageTests.laterEntry(Bytes(hex: "0201020304"), index: 18))
        try store.close()
        let error = try refusal(node)
        #expect(error?.kind == .newerFormat && error?.damaged == nil)
        let repair = #expect(throws: StorageError.self) {
            try Repair(directory: node.directory).run(.writeAheadLog)
        }
        #expect(repair?.kind == .newerFormat)
    }

    @Test func `a state of a later format is refused, and nothing is given up for it`() throws {
        let store = try filledStore()
        try store.putApplied { AppliedRecord(position: $0, stateFormat: 2).encode(group: group.rawValue) }
        try store.close()
        let error = try refusal(node)
        #expect(error?.kind == .newerFormat && error?.damaged == nil)
    }

    @Test func `damage that a running node comes upon says what has to be given up`() throws {
        let store = try filledStore()
        try store.rocks.delete(RaftKey.entry(group, LogIndex(15)))
        let missing = #expect(throws: StorageError.self) { try store.allEntries(from: 15, through: 20) }
        #expect(missing?.kind == .corruption && missing?.damaged == .log)
        try store.rocks.delete(RaftKey.entry(group, LogIndex(8)))
        let cut = #expect(throws: StorageError.self) { try store.truncateLog(group, through: LogIndex(8)) }
        #expect(cut?.kind == .corruption && cut?.damaged == .log)
        store.abandon()
    }

    @Test func `an applied record that rots on the disk is damage of the state, and ends the store`() throws {
        let store = try filledStore()
        try store.putApplied { AppliedRecord(position: $0).encode(group: group.rawValue).flipped(at: 9) }
        try store.flushState()
        let thrown = #expect(throws: StorageError.self) { try store.durableApplied(group) }
        let error = try #require(thrown)
        #expect(error.kind == .corruption && error.damaged == .state)
        #expect(throws: error) { try store.write([batch(entries(21...21, term: 2))]) }
        store.abandon()
    }

    @Test(arguments: [RaftKey.hardState(group), RaftKey.commit(group)])
    func `a rotten head record is found`(key: Bytes) throws {
        let store = try filledStore()
        let value = try #require(try store.rocks.get(key))
        try store.rocks.put(key, value.flipped(at: 3))
        try store.close()
        #expect(try refusal(node)?.kind == .corruption)
    }

    @Test func `a rotten applied record is found`() throws {
        let store = try filledStore()
        try store.putApplied { AppliedRecord(position: $0).encode(group: group.rawValue).flipped(at: 9) }
        try store.close()
        let error = try refusal(node)
        #expect(error?.kind == .corruption && error?.damaged == .state)
    }

    @Test func `a state of a snapshot that was not installed to the end is dropped`() throws {
        let store = try filledStore()
        try store.rocks.createFamily("state.2")
        try store.close()
        let again = try node.open()
        #expect(again.rocks.familyNames == [.root, .raft, .meta, .state(1)])
        #expect(try again.recoverApplying().state.applied == LogIndex(15))
    }

    @Test func `a column family that no version knew is a newer format`() throws {
        let store = try filledStore()
        try store.rocks.createFamily("blobs")
        try store.close()
        let error = #expect(throws: StorageError.self) { try node.open() }
        #expect(error?.kind == .newerFormat)
    }
}

extension NodeStore {
    /// Puts what `record` makes of a position in the place of the applied record.
    fileprivate func putApplied(_ record: (Bytes) -> Bytes) throws {
        let position = AppliedPosition(id: entry(10, term: 2).id, membership: founders, directory: emptyDirectory)
        let batch = state.makeBatch()
        batch.put(AppliedRecord.key(group: group.rawValue), record(position.encode()))
        try state.commit(batch)
    }
}
