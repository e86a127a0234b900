import Foundation
import Raft
import Testing

@testable import RaftStorage

@Suite("Directories of nodes that join, come back, and leave")
struct OriginTests {
    let node: TestNode
    private let joined = StoreConfiguration.JoinedIdentity(
        node: NodeID(7), clusterID: NodeStore.clusterID(name: "roost", founders: founders.voters), clusterName: "roost",
        founders: founders.voters, incarnation: 0x77)

    init() throws { node = try TestNode() }

    private func open(
        _ origin: StoreConfiguration.Origin, engine: StoreConfiguration.Engine = .rocksdb
    ) throws(StorageError) -> NodeStore {
        var configuration = StoreConfiguration(directory: node.directory, origin: origin)
        configuration.engine = engine
        return try NodeStore.open(configuration)
    }

    private func refusal(_ origin: StoreConfiguration.Origin) throws -> StorageError.Kind? {
        #expect(throws: StorageError.self) { try open(origin) }?.kind
    }

    @Test(arguments: LogTests.engines) func `a node that joined has the identity that it was given, and may vote`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try open(.joined(joined), engine: engine)
        #expect(store.identity.node == NodeID(7))
        #expect(store.identity.incarnation == 0x77)
        #expect(store.identity.clusterID == joined.clusterID)
        let state = try store.recoverApplying().state
        #expect(state.mayVote)
        #expect(state.membership == founders)
    }

    @Test func `a directory with an identity opens without knowing it`() throws {
        try open(.joined(joined)).close()
        let again = try open(.existing)
        #expect(again.identity.node == NodeID(7))
        #expect(again.identity.founders == founders.voters)
        #expect(again.identity.clusterName == "roost")
        #expect(!again.identity.isNew)
        try again.close()

        let founder = try TestNode()
        try founder.open().close()
        let store = try NodeStore.open(StoreConfiguration(directory: founder.directory, origin: .existing))
        #expect(store.identity.node == NodeID(2))
        #expect(try store.isSuspect(), "how it is opened does not lift a suspicion")
    }

    @Test func `a directory without an identity can't be opened as an existing one, and stays empty`() throws {
        #expect(try refusal(.existing) == .wrongIdentity)
        #expect(!FileManager.default.fileExists(atPath: node.path("IDENTITY")))
        #expect(try NodeStore.existingIdentity(in: node.directory) == nil)
        #expect(try NodeStore.existingIdentity(in: node.directory + "/nowhere") == nil)
    }

    @Test func `the identity can be read without opening, also of a directory in use or half made`() throws {
        let store = try open(.joined(joined))
        #expect(try NodeStore.existingIdentity(in: node.directory)?.node == NodeID(7))
        #expect(try NodeStore.existingIdentity(in: node.directory)?.isNew == false)
        try store.close()
        try node.remove("initialized")
        try node.put("founding")
        #expect(try NodeStore.existingIdentity(in: node.directory)?.isNew == true)
        // Making it is taken up again where it stopped, whoever it is.
        #expect(try open(.existing).identity.incarnation == 0x77)
        try node.edit("IDENTITY") { $0[25] ^= 1 }
        #expect(throws: StorageError.self) { try NodeStore.existingIdentity(in: node.directory) }
    }

    @Test func `a directory of another node, cluster or incarnation is not joined with`() throws {
        try open(.joined(joined)).close()
        try open(.joined(joined)).close()
        var other = joined
        other.node = NodeID(8)
        #expect(try refusal(.joined(other)) == .wrongIdentity)
        other = joined
        other.incarnation = 0x78
        #expect(try refusal(.joined(other)) == .wrongIdentity)
        other = joined
        other.clusterName = "other"
        #expect(try refusal(.joined(other)) == .wrongIdentity)
    }

    @Test func `a cluster that contradicts itself is not joined`() throws {
        var wrong = joined
        wrong.clusterID ^= 1
        #expect(try refusal(.joined(wrong)) == .wrongIdentity)
        #expect(try NodeStore.existingIdentity(in: node.directory) == nil)
    }

    @Test func `the note of a removal is durable at once and stays`() throws {
        let store = try open(.joined(joined))
        #expect(try !store.isRemoved())
        try store.setRemoved()
        #expect(try store.isRemoved())
        #expect(try node.crashCopy(store).open(existing: true).isRemoved())
    }
}

extension TestNode {
    fileprivate func open(existing: Bool) throws -> NodeStore {
        try NodeStore.open(StoreConfiguration(directory: directory, origin: .existing))
    }
}
