import ByteCoding
import Foundation
import Raft
import Testing

@testable import RaftStorage

@Suite("Damage of a write-ahead log, with records over several blocks")
struct JournalTests {
    private static let block = 32 << 10
    /// Inside the first large record, in a block in which no record begins.
    private static let inside = 50_000

    /// Bytes of no record.
    private static func payload(_ index: UInt64, _ count: Int) -> Bytes {
        var random = SplitMix(state: index)
        return Bytes((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    private func write(_ store: NodeStore, _ index: UInt64, bytes: Int) throws {
        let entry = Entry(
            group: group, id: EntryID(term: Term(1), index: LogIndex(index)), kind: .normal,
            payload: Self.payload(index, bytes))
        try store.write([batch([entry], commit: index, term: 1)])
    }

    /// A store whose log file has a small record, then `large` records of 100,000 bytes.
    private func store(in node: TestNode, large: UInt64 = 3) throws -> NodeStore {
        let store = try node.open()
        _ = try store.recoverApplying()
        try write(store, 1, bytes: 100)
        for index in 2...(1 + large) { try write(store, index, bytes: 100_000) }
        return store
    }

    private func damage(_ node: TestNode) throws -> JournalFile.Damage? {
        var journal = JournalFile(try DiskFile(node.path(try node.walName())))
        while try journal.checkNext() != nil {}
        return journal.damage
    }

    private func kind(ofBlock number: Int, in node: TestNode) throws -> UInt8 {
        let bytes = try Data(contentsOf: URL(filePath: node.path(try node.walName())))
        return bytes[number * Self.block + 6]
    }

    @Test func `intact records are seen behind blocks that begin in the middle of one`() throws {
        let node = try TestNode()
        let killed = try node.crashCopy(try store(in: node))
        // Else the first byte of some block gives them away.
        for number in 1...9 { #expect(try [3, 4].contains(kind(ofBlock: number, in: killed))) }
        try killed.flip(try killed.walName(), at: UInt64(Self.inside))
        let found = try #require(try damage(killed))
        #expect(found.offset == Self.block && found.what == "a wrong checksum" && !found.isLast)

        let refusal = #expect(throws: StorageError.self) { try killed.open() }
        #expect(refusal?.kind == .corruption && refusal?.damaged == .writeAheadLog)
        #expect(refusal?.message.contains("\(try killed.walName()): a wrong checksum at \(Self.block)") == true)
        var verification = Verification(directory: killed.directory)
        let findings = try verification.run().findings
        #expect(findings.contains { $0.severity == .damage && $0.message.contains("a wrong checksum at 32768") })
    }

    /// RocksDB cuts off what is too short; a last record of the right length, with a wrong checksum, it refuses.
    @Test func `damage of the last record is named, where it is not cut off`() throws {
        let node = try TestNode()
        let killed = try node.crashCopy(try store(in: node))
        try killed.edit(try killed.walName()) { $0[$0.count - 1] ^= 1 }
        #expect(try damage(killed)?.isLast == true)
        let refusal = #expect(throws: StorageError.self) { try killed.open() }
        #expect(refusal?.kind == .corruption && refusal?.damaged == .writeAheadLog)
        #expect(refusal?.message.contains("\(try killed.walName()): a wrong checksum at") == true)
        #expect(try Repair(directory: killed.directory).run(.writeAheadLog).last == LogIndex(3))
    }

    @Test func `further damage behind the first does not hide them`() throws {
        let node = try TestNode()
        let killed = try node.crashCopy(try store(in: node))
        // The second record begins in the same block, behind the end of the first.
        for place in [Self.inside, 3 * Self.block + 100] { try killed.flip(try killed.walName(), at: UInt64(place)) }
        #expect(try damage(killed)?.isLast == false)
    }

    @Test func `the scrub finds it while the node runs`() throws {
        let node = try TestNode()
        let store = try store(in: node)
        let scrub = try #require(StoreScrub(store, group: group))
        while try scrub.step() != nil {}
        try node.flip(try node.walName(), at: UInt64(Self.inside))
        let error = #expect(throws: StorageError.self) { while try scrub.step() != nil {} }
        #expect(error?.kind == .corruption && error?.damaged == .writeAheadLog)
        #expect(error?.message.contains(try node.walName()) == true)
        store.abandon()
    }

    /// Power may fail when the end of a write is on the disk, and its beginning is not.
    @Test func `the end of the damaged record itself proves nothing`() throws {
        let node = try TestNode()
        let killed = try node.crashCopy(try store(in: node, large: 1))
        #expect(try [3, 4].contains(kind(ofBlock: 2, in: killed)))
        try killed.flip(try killed.walName(), at: UInt64(Self.inside))
        #expect(try damage(killed)?.isLast == true)
        try killed.edit(try killed.walName()) { $0.removeLast($0.count - Self.inside) }
        #expect(try damage(killed)?.isLast == true)
        #expect(try killed.open().recoverApplying().state.lastIndex == LogIndex(1))
    }

    /// RocksDB takes zeros for space that was set aside, and goes on with the next block.
    @Test func `zeros in the place of whole records are damage`() throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        for index in 1...60 as ClosedRange<UInt64> { try write(store, index, bytes: 1_000) }
        let killed = try node.crashCopy(store)
        #expect(try damage(killed) == nil)
        var place = 0
        try killed.edit(try killed.walName()) { bytes in
            while place < Self.block / 2 { place += 7 + Int(bytes[place + 4]) + Int(bytes[place + 5]) << 8 }
            for offset in place..<Self.block { bytes[offset] = 0 }
        }
        let found = try #require(try damage(killed))
        #expect(found.offset == place && found.what == "zeros where a record was" && !found.isLast)
        // Nothing behind them: space that was set aside.
        try killed.edit(try killed.walName()) { $0.removeLast($0.count - Self.block) }
        #expect(try damage(killed) == nil)
    }
}
