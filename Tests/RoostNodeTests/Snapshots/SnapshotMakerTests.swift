import ByteCoding
import KeyValue
import PeerTransport
import Testing

@testable import Raft
@testable import RaftStorage
@testable import RoostNode

@Suite("Snapshots are made while they are wanted and have room")
struct SnapshotMakerTests {
    private static let group = GroupID(1)
    private static let term = Term(3)
    /// Of the state: a snapshot has 16 blocks.
    private static let stateBytes = 4 << 20

    private let store: NodeStore
    private let space = SpaceBoard()
    private let board = StatusBoard()
    private let maker: SnapshotMaker

    init() throws {
        let founders = Membership(voters: [NodeID(1)])
        store = try .inMemory(Self.group, founders: founders)
        let batch = store.state.makeBatch()
        func put(_ key: Bytes, _ value: Bytes) {
            key.withUnsafeBytes { key in
                value.withUnsafeBytes {
                    batch.put(key, header: UnsafeRawBufferPointer(start: nil, count: 0), value: $0)
                }
            }
        }
        let value = Bytes([UInt8](repeating: 7, count: 16 << 10))
        for number in 0..<UInt64(Self.stateBytes / value.count) {
            var key = ByteWriter()
            key.appendBigEndian(Self.group.rawValue)
            key.append(0x10 as UInt8)
            key.appendBigEndian(number)
            put(key.take(), value)
        }
        let position = AppliedPosition(
            id: EntryID(term: Self.term, index: LogIndex(9)), membership: founders,
            directory: ClusterDirectory(founders: founders.voters))
        put(
            AppliedRecord.key(group: Self.group.rawValue),
            AppliedRecord(position: position.encode()).encode(group: Self.group.rawValue))
        try store.state.commit(batch)
        maker = SnapshotMaker(group: Self.group, store: store, space: space, board: board)
    }

    private func show(_ role: RoleKind, in term: Term) {
        let status = Status(
            node: NodeID(1), role: role, term: term, membership: Membership(voters: [NodeID(1)]),
            firstIndex: LogIndex(1),
            lastIndex: LogIndex(9), durableIndex: LogIndex(9), commitIndex: LogIndex(9), appliedIndex: LogIndex(9),
            truncatableIndex: .zero, peers: [])
        board.publish(.init(core: status, waitingSegments: 0, hasOpenReads: false))
    }

    /// Counts the blocks that were asked for; `atBlock` runs before each.
    private func make(
        _ maker: SnapshotMaker? = nil, notBefore base: LogIndex = .zero,
        atBlock: (_ number: Int) throws(StorageError) -> Void = { (_: Int) in }
    ) -> (end: Result<SnapshotReader, StorageError>, asked: Int) {
        var asked = 0
        do throws(StorageError) {
            let reader = try (maker ?? self.maker).make(in: Self.term, notBefore: base) { () throws(StorageError) in
                try atBlock(asked)
                asked += 1
            }
            return (.success(reader), asked)
        } catch {
            return (.failure(error), asked)
        }
    }

    private func files() throws -> [String] { try store.shelf.files.names(in: "snapshots") }

    private func kind(_ end: Result<SnapshotReader, StorageError>) -> StorageError.Kind? {
        guard case .failure(let error) = end else { return nil }
        return error.kind
    }

    @Test func `one that would take what the disk keeps free ends before, and leaves nothing`() throws {
        // By what the database says it would be small: it is asked for nothing.
        space.see(room: (64 << 10) + (1 << 20))
        let first = make()
        #expect(kind(first.end) == .noSpace)
        // Before anything is written, then three blocks that fit, and one that does not: each has a little more than 256 KiB.
        #expect(first.asked == 5)
        #expect(try files() == [])

        // With as little room it does not begin again.
        let second = make()
        #expect(kind(second.end) == .noSpace)
        #expect(second.asked == 1)

        space.see(room: 8 << 20)
        let third = make()
        #expect(kind(third.end) == nil)
        #expect(third.asked == 1 + Self.stateBytes / (256 << 10))
        #expect(try files() == ["1-9-3.snap"])
    }

    /// What was removed in between may be in the database still.
    @Test func `after a while it begins again with as little room`() throws {
        let maker = SnapshotMaker(group: Self.group, store: store, space: space, board: board, memory: .zero)
        space.see(room: (64 << 10) + (1 << 20))
        for _ in 1...2 {
            let attempt = make(maker)
            #expect(kind(attempt.end) == .noSpace)
            #expect(attempt.asked == 5)
        }
    }

    @Test func `one that is there serves again without any room`() throws {
        #expect(kind(make().end) == nil)
        space.see(room: 0, level: .full)
        let again = make()
        #expect(kind(again.end) == nil)
        #expect(again.asked == 0)
    }

    @Test func `others that fill the disk end it`() throws {
        space.see(room: 1 << 30)
        let (end, asked) = make { (number) throws(StorageError) in
            if number == 6 { space.see(room: 128 << 10) }
        }
        #expect(kind(end) == .noSpace)
        #expect(asked == 7)
        #expect(try files() == [])
    }

    @Test func `a node that leads no more ends it, one that leads again does not`() throws {
        show(.leader, in: Self.term)
        let (end, asked) = make { (number) throws(StorageError) in
            switch number {
            case 2: show(.leader, in: Term(5))
            case 4: show(.follower, in: Term(6))
            default: break
            }
        }
        #expect(kind(end) == .cancelled)
        #expect(asked == 5)
        #expect(try files() == [])
    }

    @Test func `a node that stops ends it`() throws {
        let (end, asked) = make { (number) throws(StorageError) in
            if number == 3 { throw StorageError(.cancelled, "this node stops") }
        }
        #expect(kind(end) == .cancelled)
        #expect(asked == 3)
        #expect(try files() == [])
    }

    @Test(
        arguments: [
            // The picture may be from before the election was won.
            (RoleKind.follower, 2, true), (.preCandidate, 2, true), (.candidate, 3, true), (.leader, 3, true),
            (.leader, 4, true), (.follower, 3, false), (.preCandidate, 3, false), (.follower, 4, false),
            (.candidate, 4, false),
        ] as [(RoleKind, UInt64, Bool)])
    func `whoever led in term 3 leads still`(role: RoleKind, term: UInt64, leads: Bool) {
        show(role, in: Term(term))
        #expect(board.leads(since: Self.term) == leads)
    }

    @Test func `what a file has taken since the last look counts, and none makes the node low`() {
        let kibibyte: UInt64 = 1 << 10
        space.see(room: 164 * kibibyte)
        var file = GrowingFile(space)
        let steps = [file.grow(by: 60 * kibibyte), file.grow(by: 41 * kibibyte), file.grow(by: 40 * kibibyte)]
        #expect(steps == [true, false, true])
        #expect(file.byteCount == 100 * kibibyte)
        space.see(room: 70 * kibibyte)
        let afterLook = [file.grow(by: 7 * kibibyte), file.grow(by: 6 * kibibyte)]
        #expect(afterLook == [false, true])
        // A node that is low already has nothing more to lose by it but the critical room.
        space.see(room: 60 * kibibyte, level: .low)
        let whenLow = [file.grow(by: 57 * kibibyte), file.grow(by: 56 * kibibyte)]
        #expect(whenLow == [false, true])
    }
}
