import Foundation
import Raft
import Testing

@testable import RaftStorage

@Suite("The data directory")
struct DirectoryTests {
    let node: TestNode

    init() throws { node = try TestNode() }

    private func refusal(_ change: (inout StoreConfiguration) -> Void = { _ in }) throws -> StorageError.Kind? {
        #expect(throws: StorageError.self) { try node.open(change) }?.kind
    }

    @Test func `a new directory is made, with its parents, and gets an identity that stays`() throws {
        let deep = node.root + "/a/b/c"
        let first = try node.open { $0.directory = deep }
        #expect(first.identity.isNew)
        #expect(first.identity.node == NodeID(2))
        #expect(first.identity.clusterID == NodeStore.clusterID(name: "roost", founders: founders.voters))
        #expect(first.identity.incarnation != 0)
        try first.close()
        let second = try node.open { $0.directory = deep }
        #expect(!second.identity.isNew)
        #expect(second.identity.incarnation == first.identity.incarnation)
        try second.close()
    }

    @Test func `two new directories have different incarnations`() throws {
        let (a, b) = (try node.open(), try node.open { $0.directory += "2" })
        #expect(a.identity.incarnation != b.identity.incarnation)
    }

    @Test func `a directory in use is locked, also against its own process, and free after closing`() throws {
        let store = try node.open()
        let error = #expect(throws: StorageError.self) { try node.open() }
        #expect(error?.kind == .locked)
        #expect(error?.message.contains("\(getpid())") == true)
        try store.close()
        try node.open().close()
    }

    @Test func `the last reference gives the directory free`() throws {
        do { _ = try node.open() }
        try node.open().close()
    }

    @Test func `another node's directory is refused`() throws {
        try node.open().close()
        #expect(try refusal { $0.node = NodeID(3) } == .wrongIdentity)
    }

    @Test func `another cluster's directory is refused, whether name or founders differ`() throws {
        try node.open().close()
        #expect(try refusal { $0.clusterName = "other" } == .wrongIdentity)
        #expect(try refusal { $0.founders = [NodeID(2)] } == .wrongIdentity)
        try node.open { $0.founders.reverse() }.close()
    }

    @Test func `a database moved in from another directory is refused`() throws {
        let other = try TestNode()
        try node.open().close()
        try other.open().close()
        try node.remove("db")
        try FileManager.default.copyItem(atPath: other.path("db"), toPath: node.path("db"))
        #expect(try refusal() == .wrongIdentity)
    }

    @Test func `an initialized directory that lost its database doesn't come back empty`() throws {
        try node.open().close()
        try node.remove("db")
        #expect(try refusal() == .corruption)
        #expect(!FileManager.default.fileExists(atPath: node.path("db")))
    }

    @Test func `a database whose identity is gone is refused`() throws {
        try node.open().close()
        try node.remove("IDENTITY")
        #expect(try refusal() == .corruption)
    }

    @Test func `a changed identity is refused`() throws {
        try node.open().close()
        try node.edit("IDENTITY") { $0[25] ^= 1 }
        #expect(try refusal() == .corruption)
    }

    @Test func `making a directory can stop after the identity and go on later`() throws {
        let first = try node.open()
        let incarnation = first.identity.incarnation
        try first.close()
        try node.remove("db")
        try node.remove("initialized")
        try node.put("founding")
        let second = try node.open()
        #expect(second.identity.isNew)
        #expect(second.identity.incarnation == incarnation)
        try second.close()
        #expect(!FileManager.default.fileExists(atPath: node.path("founding")))
    }

    @Test func `making a directory can stop before the identity, with nothing promised`() throws {
        try FileManager.default.createDirectory(atPath: node.directory, withIntermediateDirectories: false)
        try node.put("founding")
        let store = try node.open()
        #expect(store.identity.isNew)
        try store.close()
    }

    /// Its incarnation is the one that the others know: they would not refuse it.
    @Test(arguments: [[NodeID(1), NodeID(2), NodeID(3)], [NodeID(2)]])
    func `a directory that lost its database and the mark of it doesn't come back empty`(founders: [NodeID]) throws {
        try node.open { $0.founders = founders }.close()
        try node.remove("db")
        try node.remove("initialized")
        #expect(try refusal { $0.founders = founders } == .corruption)
        #expect(!FileManager.default.fileExists(atPath: node.path("db")))
        var verification = Verification(directory: node.directory)
        #expect(try verification.run().findings.first?.message.contains("database of node 2 is missing") == true)
    }

    @Test func `a directory that lost everything but what it knew of the others is refused`() throws {
        let store = try node.open()
        try store.noteMembership(Membership(voters: [NodeID(1), NodeID(2), NodeID(3)]))
        try store.close()
        for name in ["IDENTITY", "initialized", "db"] { try node.remove(name) }
        #expect(try refusal() == .corruption)
    }

    @Test func `the mark alone is made again, and its loss makes no new founder`() throws {
        let store = try node.open()
        try store.setSuspect(false)
        try store.close()
        try node.remove("initialized")
        let again = try node.open()
        #expect(!again.identity.isNew)
        #expect(try !again.isSuspect())
        try again.close()
        #expect(FileManager.default.fileExists(atPath: node.path("initialized")))
    }

    @Test func `making a directory can stop before the marker and go on later`() throws {
        let first = try node.open()
        try first.close()
        try node.remove("initialized")
        try node.put("founding")
        let second = try node.open()
        #expect(second.identity.isNew)
        try second.close()
        #expect(try !node.open().identity.isNew)
    }

    @Test func `a newer format is refused`() throws {
        let store = try node.open()
        try store.rocks.overwriteFormat(FormatRecord.encode(version: 2))
        try store.close()
        #expect(try refusal() == .newerFormat)
    }

    @Test func `a database that lost its log's column family is refused`() throws {
        let store = try node.open()
        try store.rocks.dropLog()
        try store.close()
        #expect(try refusal() == .corruption)
    }

    @Test func `a path that is a file, or lies below one, can't be made`() throws {
        try Data().write(to: URL(filePath: node.directory))
        #expect(try refusal() == .cannotCreate)
        #expect(try refusal { $0.directory += "/data" } == .cannotCreate)
    }

    @Test(.enabled(if: getuid() != 0, "root may do everything"))
    func `a directory without rights is a matter of permission`() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: node.root)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: node.root) }
        #expect(try refusal() == .permission)
    }

    @Test func `peers' incarnations are kept`() throws {
        let store = try node.open()
        #expect(store.peerIncarnation(of: NodeID(3)) == nil)
        try store.record(incarnation: 77, of: NodeID(3))
        #expect(store.peerIncarnation(of: NodeID(3)) == 77)
        // No close: it must have been durable on return.
        let crashed = try node.crashCopy(store).open()
        #expect(crashed.peerIncarnation(of: NodeID(3)) == 77)
        #expect(crashed.peerIncarnation(of: NodeID(1)) == nil)
    }

    @Test(arguments: LogTests.engines) func `a new founder of several must not vote until it is told so`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try node.open { $0.engine = engine }
        #expect(try !store.recoverApplying().state.mayVote)
        try store.setSuspect(false)
        #expect(try store.recoverApplying().state.mayVote)
    }

    @Test(arguments: LogTests.engines) func `a new sole founder may vote`(engine: StoreConfiguration.Engine) throws {
        let store = try node.open {
            $0.engine = engine
            $0.founders = [NodeID(2)]
        }
        #expect(try store.recoverApplying().state.mayVote)
    }

    @Test func `suspicion and its end outlive the process`() throws {
        let store = try node.open()
        let suspect = try node.crashCopy(store)
        try store.setSuspect(false)
        let trusted = try node.crashCopy(store)
        #expect(try suspect.open().isSuspect())
        #expect(try !trusted.open().isSuspect())
        try store.setSuspect(true)
        #expect(try node.crashCopy(store).open().isSuspect())
    }
}
