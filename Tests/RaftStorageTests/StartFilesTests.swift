import Dispatch
import Foundation
import Raft
import RocksDB
import Testing

@testable import RaftStorage

@Suite("Files that only a start reads")
struct StartFilesTests {
    private let node: TestNode

    init() throws { node = try TestNode() }

    /// With a file of each kind.
    private func live() throws -> NodeStore {
        let store = try LivedLog.live(in: node)
        try store.noteMembership(founders)
        var ledger = try RepairLedger(DataDirectory(path: node.directory))
        try ledger.order(.log, at: 1)
        try ledger.close(.done)
        return store
    }

    private func manifest(of node: TestNode) throws -> (name: String, bytes: UInt64) {
        let names = try FileSystem.names(in: node.path("db")).filter { $0.hasPrefix("MANIFEST") }
        let name = "db/" + (try #require(names.sorted().last))
        return (name, FileSystem.byteCount(of: node.path(name)))
    }

    private func pass(_ scrub: StoreScrub) throws { while try scrub.step() != nil {} }

    // MARK: While the node runs

    @Test(
        arguments: [
            ("db/CURRENT", 12, "don't restart it"), ("db/CURRENT", 0, "don't restart it"),
            ("IDENTITY", 30, "don't restart it"), ("company", 18, "restart the node"), ("repairs", 18, "remove it"),
        ] as [(String, UInt64, String)])
    func `damage is told with the file and what helps, and no error`(name: String, place: UInt64, advice: String) throws
    {
        let store = try live()
        let scrub = try #require(StoreScrub(store, group: group))
        try pass(scrub)
        #expect(scrub.hazards == [])
        try node.flip(name, at: place)
        try pass(scrub)
        #expect(scrub.hazards.count == 1)
        let hazard = try #require(scrub.hazards.first)
        #expect(hazard.message.contains(node.path(name)) && hazard.remedy.contains(advice), "\(hazard)")
        try node.flip(name, at: place)
        try pass(scrub)
        #expect(scrub.hazards == [])
        try store.close()
    }

    @Test func `a file that is gone is told`() throws {
        let store = try live()
        let scrub = try #require(StoreScrub(store, group: group))
        let manifest = try manifest(of: node).name
        for (name, message) in [("IDENTITY", "IDENTITY is missing"), (manifest, "which is not there")] {
            try FileManager.default.moveItem(atPath: node.path(name), toPath: node.path("aside"))
            try pass(scrub)
            #expect(scrub.hazards.map { $0.message.contains(message) } == [true], "\(scrub.hazards)")
            try FileManager.default.moveItem(atPath: node.path("aside"), toPath: node.path(name))
        }
        store.abandon()
    }

    @Test func `the directory of somebody else is told`() throws {
        let store = try live()
        let scrub = try #require(StoreScrub(store, group: group))
        var other = store.identity
        other.incarnation += 1
        try DataDirectory(path: node.directory).write(other)
        try pass(scrub)
        #expect(scrub.hazards.map { $0.message.contains("is that of node 2, incarnation") } == [true])
        try store.close()
    }

    /// The last byte: RocksDB's last record, which may also be one that is being written.
    @Test(arguments: [2, 1] as [UInt64]) func `damage of the MANIFEST is told, wherever it is`(part: UInt64) throws {
        let store = try live()
        let scrub = try #require(StoreScrub(store, group: group))
        let (name, bytes) = try manifest(of: node)
        try node.flip(name, at: bytes / part - 1)
        try pass(scrub)
        #expect(scrub.hazards.map { $0.message.contains("\(node.path(name)): a wrong checksum at") } == [true])
        // It is told once, and stays.
        try pass(scrub)
        #expect(scrub.hazards.count == 1)
        store.abandon()
    }

    @Test func `a record that is being written is no damage, one that stays half is`() throws {
        let store = try live()
        let scrub = try #require(StoreScrub(store, group: group))
        let name = try manifest(of: node).name
        let body = [1 as UInt8] + [UInt8](repeating: 7, count: 40)
        let checksum = body.withUnsafeBytes { MaskedChecksum.of($0) }
        let record = withUnsafeBytes(of: checksum.littleEndian) { Array($0) } + [40, 0] + body
        try node.append(record[..<20], to: name)
        #expect(try scrub.step() != nil, "the pass ends with its first step")
        try node.append(record[20...], to: name)
        try pass(scrub)
        #expect(scrub.hazards == [])
        try node.append(record[..<20], to: name)
        try pass(scrub)
        #expect(scrub.hazards.map { $0.message.contains(name) } == [true])
        store.abandon()
    }

    @Test func `a MANIFEST that grows meanwhile is whole`() throws {
        let store = try live()
        let (scrub, rocks) = (try #require(StoreScrub(store, group: group)), store.rocks)
        let (path, before) = (node.path(try manifest(of: node).name), try manifest(of: node).bytes)
        let writing = DispatchGroup()
        DispatchQueue.global().async(group: writing) {
            for number in 100..<200 as Range<UInt64> {
                guard let family = try? rocks.create(.state(number)) else { return }
                try? rocks.drop(family)
                rocks.release(family)
            }
        }
        var passes = 0
        while writing.wait(timeout: .now()) == .timedOut || passes < 5 {
            try pass(scrub)
            passes += 1
            #expect(scrub.hazards == [])
        }
        #expect(FileSystem.byteCount(of: path) > before + 2_000)
        try store.close()
    }

    // MARK: At the start

    @Test(arguments: [2, 1]) func `a start that refuses a MANIFEST names it`(part: Int) throws {
        let killed = try node.crashCopy(try live())
        let name = try manifest(of: killed).name
        try killed.edit(name) { $0[$0.count / part - 1] ^= 1 }
        let error = #expect(throws: StorageError.self) { try killed.open() }
        #expect(error?.kind == .corruption && error?.damaged == nil)
        #expect(
            error?.message.contains("\(killed.path(name)): a wrong checksum at") == true, "\(String(describing: error))"
        )
    }

    @Test(arguments: [0, 12, 15]) func `a start that refuses CURRENT names it`(place: Int) throws {
        let killed = try node.crashCopy(try live())
        try killed.edit("db/CURRENT") { $0[place] ^= 1 }
        let error = #expect(throws: StorageError.self) { try killed.open() }
        #expect(error?.kind == .corruption && error?.damaged == nil)
        #expect(error?.message.contains("\(killed.path("db/CURRENT")) names") == true, "\(String(describing: error))")
    }
}

extension TestNode {
    fileprivate func append(_ bytes: ArraySlice<UInt8>, to name: String) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path(name)))
        try file.seekToEnd()
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }
}
