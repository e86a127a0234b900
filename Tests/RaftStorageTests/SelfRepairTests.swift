import ByteCoding
import Foundation
import KeyValue
import Raft
import RocksDB
import Testing

@testable import RaftStorage

@Suite("A node that repairs itself")
struct SelfRepairTests {
    private static let now: UInt64 = 1_800_000_000
    private let three = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)])

    private func repair(_ node: TestNode, maxPerHour: Int = 3) -> SelfRepair {
        SelfRepair(directory: node.directory, maxPerHour: maxPerHour)
    }

    private func ledger(_ node: TestNode) throws -> RepairLedger {
        try RepairLedger(DataDirectory(path: node.directory))
    }

    private func hasCopy(_ node: TestNode) -> Bool {
        FileManager.default.fileExists(atPath: node.path("before-repair"))
    }

    /// A node of three with a table of the state that can't be opened.
    private func damagedState() throws -> TestNode {
        let node = try LivedLog.killed()
        try Company.spared.note(in: DataDirectory(path: node.directory))
        try node.edit(try #require(try node.table(of: .state(1)))) { $0[$0.count - 5] ^= 1 }
        return node
    }

    private func applied(_ node: TestNode) throws -> (LogIndex, mayVote: Bool, hasForgotten: Bool) {
        let store = try node.open()
        let machine = KeyValueMachine(store: store.state, group: group.rawValue)
        let state = try store.recover(group, founders: founders) { (entries) throws(StorageError) in
            do { try LivedLog.apply(entries, with: machine) } catch { throw StorageError(.corruption, "\(error)") }
        }
        let hasForgotten = try store.hasForgotten()
        try store.close()
        return (state.applied, state.mayVote, hasForgotten)
    }

    // MARK: What is damaged

    @Test func `an error says what has to be given up`() throws {
        let state = #expect(throws: StorageError.self) { try damagedState().open() }
        #expect(state?.damaged == .state)
        let tail = try LivedLog.killed()
        try tail.edit(try tail.walName()) { $0[$0.count * 2 / 3] ^= 1 }
        let log = #expect(throws: StorageError.self) { try tail.open() }
        #expect(log?.damaged == .writeAheadLog && log?.remedy.contains("--accept-wal-loss") == true)
        // Who the node is, nobody else can say.
        let manifest = try LivedLog.killed()
        let name = try FileManager.default.contentsOfDirectory(atPath: manifest.path("db")).first {
            $0.hasPrefix("MANIFEST")
        }
        try manifest.edit("db/" + (try #require(name))) { $0[$0.count / 2] ^= 1 }
        let other = #expect(throws: StorageError.self) { try manifest.open() }
        #expect(other?.damaged == nil)
    }

    @Test(
        arguments: [
            ("Corruption: block checksum mismatch: … in /a/b/db/000123.sst offset 4 size 9", "000123.sst"),
            ("Corruption: Bad table magic number in 000007.sst", "000007.sst"),
            ("IO error: /a/x.sst/log: No such file", nil), ("000012.log", nil), (".sst", nil), ("", nil),
        ] as [(String, String?)]) func `names of tables in what RocksDB says`(message: String, name: String?)
    {
        #expect(DamageLocator.tableName(in: message) == name)
    }

    // MARK: Orders

    @Test func `an order is done at the next start, once, and what was damaged is kept until the node is trusted`()
        throws
    {
        let node = try damagedState()
        let before = Set(try FileManager.default.contentsOfDirectory(atPath: node.path("db")))
        #expect(try repair(node).carryOut() == nil)
        try repair(node).order(.state, at: Self.now)
        #expect(try ledger(node).ordered == .state)
        guard case .done(.state, let outcome)? = try repair(node).carryOut() else {
            return #expect(Bool(false), "nothing was done")
        }
        #expect(outcome.isSuspect && outcome.applied == .zero)
        #expect(outcome.hardState == HardState(term: Term(3), vote: NodeID(1)))
        #expect(try ledger(node).ordered == nil)
        #expect(try repair(node).carryOut() == nil)
        #expect(repair(node).times == [Self.now])
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: node.path("before-repair"))) == before)
        let (index, mayVote, hasForgotten) = try applied(node)
        #expect(index == .zero && !mayVote && hasForgotten && hasCopy(node))

        let store = try node.open()
        try store.setSuspect(false)
        #expect(!hasCopy(node))
        #expect(try !store.isSuspect())
        try store.close()
    }

    @Test func `on a full disk the reserve goes before the repair begins, and only for a repair`() throws {
        let node = try damagedState()
        let reserve = ReserveFile(directory: node.directory)
        try reserve.make(byteCount: 4 << 20)
        #expect(try repair(node).carryOut(minFreeBytes: .max) == nil)
        #expect(reserve.byteCount == 4 << 20)
        try repair(node).order(.state, at: Self.now)
        var said: [String] = []
        let outcome = try repair(node).carryOut(minFreeBytes: .max) { said.append($0) }
        guard case .done(.state, _)? = outcome else { return #expect(Bool(false), "nothing was done") }
        #expect(reserve.byteCount == 0)
        #expect(said.map { $0.hasSuffix("gave up the reserve of 4 MiB") } == [true, false], "\(said)")
    }

    @Test func `where there is room the reserve stays`() throws {
        let node = try damagedState()
        let reserve = ReserveFile(directory: node.directory)
        try reserve.make(byteCount: 4 << 20)
        try repair(node).order(.state, at: Self.now)
        _ = try repair(node).carryOut(minFreeBytes: 1)
        #expect(reserve.byteCount == 4 << 20)
    }

    /// The first copy holds most.
    @Test func `a second repair keeps the copy of the first`() throws {
        let node = try damagedState()
        let table = try #require(
            try FileManager.default.contentsOfDirectory(atPath: node.path("db")).sorted().first {
                $0.hasSuffix(".sst")
            })
        try repair(node).order(.state, at: Self.now)
        _ = try repair(node).carryOut()
        try repair(node).order(.state, at: Self.now + 1)
        _ = try repair(node).carryOut()
        #expect(FileManager.default.fileExists(atPath: node.path("before-repair/" + table)))
        // An operator's repair makes none, and leaves it.
        _ = try Repair(directory: node.directory).run(.log)
        #expect(hasCopy(node))
    }

    @Test func `the copy holds what the database has no more`() throws {
        let node = try damagedState()
        let directory = DataDirectory(path: node.directory)
        #expect(directory.copyBytes == 0)
        try directory.keepCopy()
        // The write-ahead log is copied, the tables are the same files.
        let logBytes = FileSystem.totalBytes(of: ".log", in: node.path("db"))
        let tableBytes = FileSystem.totalBytes(of: ".sst", in: node.path("db"))
        let shared = directory.copyBytes
        #expect(shared >= logBytes && logBytes > 0 && tableBytes > 0)
        try node.remove("db")
        #expect(directory.copyBytes >= shared + tableBytes)
    }

    @Test func `for want of room the copy is given up before the node is trusted`() throws {
        let node = try damagedState()
        try repair(node).order(.state, at: Self.now)
        _ = try repair(node).carryOut()
        let store = try node.open()
        #expect(store.copyBeforeRepairBytes > 0)
        try store.dropCopyBeforeRepair()
        #expect(!hasCopy(node) && store.copyBeforeRepairBytes == 0)
        #expect(try store.hasForgotten())
        try store.dropCopyBeforeRepair()
        try store.setSuspect(false)
        try store.close()
    }

    @Test func `the copy is a database, as damaged as it was`() throws {
        let node = try LivedLog.killed()
        try Company.spared.note(in: DataDirectory(path: node.directory))
        try node.edit(try node.walName()) { $0[$0.count * 2 / 3] ^= 1 }
        try repair(node).order(.writeAheadLog, at: Self.now)
        guard case .done(.writeAheadLog, _)? = try repair(node).carryOut() else {
            return #expect(Bool(false), "nothing was done")
        }
        try node.remove("db")
        try FileManager.default.moveItem(atPath: node.path("before-repair"), toPath: node.path("db"))
        let error = #expect(throws: StorageError.self) { try node.open() }
        #expect(error?.damaged == .writeAheadLog)
    }

    @Test func `where more is damaged than was ordered, more is ordered`() throws {
        let node = try damagedState()
        // The state's newest table holds how far it has come: the log can't be repaired without.
        try repair(node).order(.log, at: Self.now)
        guard case .moreIsDamaged? = try repair(node).carryOut() else {
            return #expect(Bool(false), "the log alone was enough")
        }
        #expect(try ledger(node).ordered == .state)
        // A repair in two steps is one repair.
        #expect(repair(node).times == [Self.now])
    }

    @Test func `an operator's repair does away with what was ordered`() throws {
        let node = try damagedState()
        try repair(node).order(.state, at: Self.now)
        _ = try Repair(directory: node.directory).run(.state)
        #expect(try ledger(node).ordered == nil)
        #expect(!hasCopy(node))
    }

    @Test func `only so many within an hour, whatever the clock does`() throws {
        let node = try damagedState()
        for number in 0..<3 {
            try repair(node).order(.state, at: Self.now + UInt64(number) * 60)
            _ = try repair(node).carryOut()
        }
        for seconds in [Self.now + 300, Self.now - 300] {
            let refusal = #expect(throws: SelfRepair.Refusal.self) { try repair(node).order(.state, at: seconds) }
            #expect(refusal?.sentence.contains("3 times within an hour") == true)
        }
        #expect(try ledger(node).ordered == nil)
        #expect(throws: SelfRepair.Refusal.self) {
            try repair(node).order(.log, at: Self.now, of: NodeID(2), in: three)
        }
        try repair(node, maxPerHour: 4).order(.state, at: Self.now + 300)
        try repair(node).order(.state, at: Self.now + 2 * 3600)
    }

    @Test func `a ledger that can't be read means hands off, until an operator repairs`() throws {
        let node = try damagedState()
        try repair(node).order(.state, at: Self.now)
        try node.edit("repairs") { $0[20] ^= 0x80 }
        #expect(throws: SelfRepair.Refusal.self) { try repair(node).order(.state, at: Self.now) }
        #expect(try repair(node).carryOut() == nil)
        _ = try Repair(directory: node.directory).run(.state)
        #expect(!FileManager.default.fileExists(atPath: node.path("repairs")))
    }

    // MARK: Who may

    @Test(arguments: [
        (Membership(voters: [1, 2, 3].map { NodeID($0) }), true),
        (Membership(voters: [1, 2, 3, 4].map { NodeID($0) }), true),
        (Membership(voters: [1, 2].map { NodeID($0) }), false), (Membership(voters: [NodeID(2)]), false),
        (Membership(voters: [NodeID(2)], learners: [NodeID(1), NodeID(3)]), false),
        (Membership(voters: [NodeID(1)], learners: [NodeID(2)]), true),
        (Membership(voters: [1, 2, 3].map { NodeID($0) }, outgoing: [1, 2].map { NodeID($0) }), false),
        (Membership(voters: [1, 3].map { NodeID($0) }, outgoing: [1, 2, 3].map { NodeID($0) }), true),
        (Membership(voters: [NodeID]()), false),
    ]) func `only who can be spared repairs itself`(membership: Membership, canBeSpared: Bool) throws {
        #expect(membership.canSpare(NodeID(2)) == canBeSpared)
        let node = try LivedLog.killed()
        if canBeSpared {
            try repair(node).order(.log, at: Self.now, of: NodeID(2), in: membership)
        } else {
            let refusal = #expect(throws: SelfRepair.Refusal.self) {
                try repair(node).order(.log, at: Self.now, of: NodeID(2), in: membership)
            }
            #expect(refusal?.sentence.contains("no majority without this node") == true)
            #expect(!FileManager.default.fileExists(atPath: node.path("repairs")))
        }
    }

    /// The database, which knows the members, may be what is damaged.
    @Test func `what was noted of the members counts; without a note, hands off`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        try store.close()
        let unknown = #expect(throws: SelfRepair.Refusal.self) { try repair(node).order(.state, at: Self.now) }
        #expect(unknown?.sentence.contains("no majority without this node") == true)
        let notes: [(Membership, Company)] = [
            (Membership(voters: [NodeID(2), NodeID(3)]), .needed), (three, .spared), (three, .spared),
            // It has met node 3.
            (Membership(voters: [NodeID(2)]), .needed),
        ]
        for (membership, company) in notes {
            let store = try node.open()
            try store.noteMembership(membership)
            try store.close()
            #expect(try Company(notedIn: DataDirectory(path: node.directory)) == company)
            if company == .spared {
                try repair(node).order(.state, at: Self.now)
            } else {
                #expect(throws: SelfRepair.Refusal.self) { try repair(node).order(.state, at: Self.now) }
            }
        }
        #expect(Company(of: NodeID(2), in: Membership(voters: [NodeID(2)]), hasMetNobody: true) == .alone)
        try node.edit("company") { $0[$0.count - 3] ^= 1 }
        #expect(throws: SelfRepair.Refusal.self) { try repair(node).order(.state, at: Self.now) }
    }

    @Test func `a node in use is ordered nothing from outside`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        let refusal = #expect(throws: SelfRepair.Refusal.self) { try repair(node).order(.state, at: Self.now) }
        #expect(refusal?.sentence.contains("held by process") == true)
        try repair(node).order(.state, at: Self.now, of: NodeID(2), in: three)
        try store.close()
    }
}

@Suite("The state of a moment")
struct StateMomentTests {
    @Test func `it is read as it was, while the state goes on`() throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        let (lower, upper) = StateKey.contentRange(group: group.rawValue)
        func keys(_ moment: StateMoment) throws -> (EntryID?, Int) {
            var count = 0
            let id = try store.scanState(of: group, at: moment, from: lower, to: upper) { _, _ in
                count += 1
                return true
            }
            return (id, count)
        }
        #expect(try keys(store.stateMoment()).0 == nil)
        try store.write([batch(entries(1...20), commit: 20, term: 1)])
        try store.apply(entries(1...12))
        do {
            let moment = store.stateMoment()
            try store.apply(entries(13...20))
            try store.flushState()
            let (id, count) = try keys(moment)
            #expect(id?.index == LogIndex(12) && count == 12)
            #expect(try keys(store.stateMoment()).1 == 20)
        }
        try store.close()
    }

    @Test func `a snapshot makes it void`() throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.fill(1...5, term: 2)
        do {
            let moment = store.stateMoment()
            try store.install(try store.receive(try SnapshotBytes.make(last: 30)))
            let (lower, upper) = StateKey.contentRange(group: group.rawValue)
            #expect(try store.scanState(of: group, at: moment, from: lower, to: upper) { _, _ in true } == nil)
        }
        try store.close()
    }
}
