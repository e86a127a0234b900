import Foundation
import Raft
import Testing

@testable import RaftStorage

/// On a file system that does not tell when a file was made these tests fail: no copy is known there.
@Suite("A copied data directory")
struct CopiedDirectoryTests {
    let node: TestNode
    let copy: TestNode

    init() throws {
        node = try TestNode()
        copy = try TestNode()
    }

    private var original: DataDirectory { DataDirectory(path: node.directory) }
    private var copied: DataDirectory { DataDirectory(path: copy.directory) }

    /// As cp -a does: the times that can be set are kept.
    private func copyAll(_ change: (inout StoreConfiguration) -> Void = { _ in }) throws {
        try node.open(change).close()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/cp")
        process.arguments = ["-a", node.directory, copy.directory]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    @Test func `is refused, says which node's it is and what to do, and the original is none`() throws {
        try copyAll()
        try #require(try original.identityFile()?.born != nil)
        let error = try #require(throws: StorageError.self) { try copy.open() }
        #expect(error.kind == .wrongIdentity)
        #expect(error.message.contains("copy of the data directory of node 2"))
        #expect(error.remedy.contains("--adopt-copy"))
        // Also where the directory says by itself whose it is.
        #expect(throws: error) {
            try NodeStore.open(StoreConfiguration(directory: copy.directory, origin: .existing))
        }
        try node.open().close()
    }

    @Test func `is refused in the original's place; the original, moved away and back, is not`() throws {
        try copyAll()
        let away = node.root + "/away"
        try FileManager.default.moveItem(atPath: node.directory, toPath: away)
        try FileManager.default.moveItem(atPath: copy.directory, toPath: node.directory)
        #expect(throws: StorageError.self) { try node.open() }
        try FileManager.default.removeItem(atPath: node.directory)
        try FileManager.default.moveItem(atPath: away, toPath: node.directory)
        try node.open().close()
    }

    @Test func `another node's is told as such`() throws {
        try copyAll()
        let error = #expect(throws: StorageError.self) { try copy.open { $0.node = NodeID(3) } }
        #expect(error?.message.contains("belongs to node 2") == true)
    }

    @Test func `of one that was begun and not completed is refused, with another remedy`() throws {
        try copyAll()
        try copy.remove("initialized")
        try copy.put("founding")
        let error = #expect(throws: StorageError.self) { try copy.open() }
        #expect(error?.kind == .wrongIdentity)
        #expect(error?.remedy.contains("remove it") == true)
    }

    @Test func `that an operator adopts is the node's, suspect, until somebody trusts it`() throws {
        let store = try node.open()
        try store.setSuspect(false)
        try store.close()
        try copyAll()
        #expect(try OfflineStore.open(copy.directory).summary(of: group).isCopy)
        #expect(try Repair(directory: copy.directory).adopt())
        let adopted = try copy.open()
        #expect(try adopted.hasForgotten())
        #expect(try !adopted.recoverApplying().state.mayVote)
        #expect(try adopted.identity.incarnation == original.existingIdentity()?.incarnation)
        try adopted.close()
        try Repair(directory: copy.directory).trust()
        let trusted = try copy.open()
        #expect(try trusted.recoverApplying().state.mayVote)
        try trusted.close()
    }

    @Test func `of a node that never had others is not suspect`() throws {
        try copyAll { $0.founders = [NodeID(2)] }
        #expect(try !Repair(directory: copy.directory).adopt())
        let adopted = try copy.open { $0.founders = [NodeID(2)] }
        #expect(try adopted.recoverApplying().state.mayVote)
        try adopted.close()
    }

    @Test func `that a crash left half adopted is still a copy, and can be adopted`() throws {
        try copyAll()
        try copied.markSuspect()
        #expect(throws: StorageError.self) { try copy.open() }
        #expect(try Repair(directory: copy.directory).adopt())
        #expect(try copy.open().hasForgotten())
    }

    @Test func `what is no copy is not adopted, and does not become suspect`() throws {
        try copyAll()
        #expect(throws: StorageError.self) { try Repair(directory: node.directory).adopt() }
        #expect(try !original.isMarkedSuspect)
    }

    @Test func `where the file system does not tell when a file was made, nothing is known of copies`() throws {
        try copyAll()
        let identity = try #require(try copied.existingIdentity())
        try FileSystem.write(IdentityFile.encode(identity, born: nil), to: copied.identity)
        #expect(try !copied.isCopy())
        try copy.open().close()
    }
}
