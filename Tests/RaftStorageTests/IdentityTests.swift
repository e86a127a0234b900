import ByteCoding
import Raft
import Testing

@testable import RaftStorage

@Suite("Identity of nodes and clusters")
struct IdentityTests {
    private static let identity = Identity(
        node: NodeID(2), clusterName: "roost", founders: founders.voters, incarnation: 0x1122, isNew: false)

    @Test func `the cluster's id depends on its name and founders, not on their order`() {
        func id(_ name: String, _ founders: [UInt64]) -> UInt64 {
            NodeStore.clusterID(name: name, founders: founders.map { NodeID($0) })
        }
        #expect(id("roost", [1, 2, 3]) == 0x7871_B62D_0D81_0AE6)
        #expect(id("roost", [3, 1, 2, 1]) == id("roost", [1, 2, 3]))
        let different = [
            id("roost", [1, 2, 3]), id("roost", [1, 2]), id("roost", [1, 2, 4]), id("roost2", [1, 2, 3]),
            id("", [1, 2, 3]), id("roost", []),
        ]
        #expect(Set(different).count == different.count)
    }

    @Test func `one changed byte anywhere in the file is refused`() {
        let bytes = IdentityFile.encode(Self.identity, born: 1_795_965_704_442_131_310)
        for offset in bytes.indices {
            var changed = bytes
            changed[offset] ^= 1
            #expect(throws: StorageError.self, "byte \(offset)") { try IdentityFile.decode(changed, path: "IDENTITY") }
        }
        for count in bytes.indices {
            #expect(throws: StorageError.self) { try IdentityFile.decode(Array(bytes[..<count]), path: "IDENTITY") }
        }
        #expect(throws: StorageError.self) { try IdentityFile.decode(bytes + [0x0A], path: "IDENTITY") }
    }

    @Test func `a file of a newer version is refused as such`() {
        let error = #expect(throws: StorageError.self) {
            try IdentityFile.decode(Array("roost-identity 2\nwhat comes here is unknown\n".utf8), path: "IDENTITY")
        }
        #expect(error?.kind == .newerFormat)
    }

    @Test(arguments: ["a", "Grüße, 世界", String(repeating: "x", count: 128)])
    func `names in any script are kept`(name: String) throws {
        var identity = Self.identity
        identity = Identity(
            node: identity.node, clusterName: name, founders: identity.founders, incarnation: 1, isNew: false)
        for born in [nil, 1, Int64.max] {
            let found = try IdentityFile.decode(IdentityFile.encode(identity, born: born), path: "IDENTITY")
            #expect(found == IdentityFile.Content(identity: identity, born: born))
        }
    }

    @Test(arguments: ["", "two\nlines", "nul\0", String(repeating: "x", count: 129)])
    func `names that can't be kept are refused`(name: String) throws {
        let node = try TestNode()
        #expect(throws: StorageError.self) { try node.open { $0.clusterName = name } }
    }
}
