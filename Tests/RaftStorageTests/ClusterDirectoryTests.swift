import ByteCoding
import Raft
import Testing

@testable import RaftStorage

@Suite("The cluster's directory")
struct ClusterDirectoryTests {
    private let four = ClusterDirectory.Member(
        peer: "d.example:7400", redis: "d.example:6379", http: "", incarnation: 0x44, staysLearner: true)

    private func update(_ members: KeyValuePairs<UInt64, ClusterDirectory.Member>) -> Bytes {
        var update = DirectoryUpdate()
        for (node, member) in members { update.set(member, for: NodeID(node)) }
        return update.encode()
    }

    /// Membership and directory after changes that fit.
    private func after(
        _ changes: [MembershipChange], from membership: Membership = founders
    ) throws -> (Membership, ClusterDirectory) {
        var (membership, directory) = (membership, emptyDirectory)
        for change in changes {
            membership = try membership.applying(change)
            directory = try directory.applying(change, resulting: membership)
        }
        return (membership, directory)
    }

    @Test func `a change brings members' addresses with it, its own and others'`() throws {
        let one = ClusterDirectory.Member(peer: "a:1")
        let (_, directory) = try after([
            MembershipChange([.addLearner(NodeID(4))], context: update([4: four, 1: one, 77: one]))
        ])
        #expect(directory[NodeID(4)] == four)
        #expect(directory[NodeID(1)] == one)
        #expect(directory[NodeID(2)] == nil)
        // Nothing is kept of somebody who is no member.
        #expect(directory.members.entries.map(\.node.rawValue) == [1, 4])
        #expect(directory.highestID == NodeID(4))
    }

    @Test func `later news takes the place of earlier`() throws {
        var moved = four
        moved.peer = "e.example:7400"
        let (_, directory) = try after([
            MembershipChange([.addLearner(NodeID(4))], context: update([4: four])),
            MembershipChange([.addVoter(NodeID(4))], context: update([4: moved])),
        ])
        #expect(directory[NodeID(4)] == moved)
    }

    @Test func `a removed node is forgotten, but its id stays taken`() throws {
        let (membership, directory) = try after([
            MembershipChange([.addLearner(NodeID(9))], context: update([9: four])),
            MembershipChange([.remove(NodeID(9))]),
        ])
        #expect(directory[NodeID(9)] == nil)
        #expect(directory.highestID == NodeID(9))
        #expect(directory.isRemoved(NodeID(9), from: membership))
        #expect(directory.isRemoved(NodeID(5), from: membership))
        #expect(!directory.isRemoved(NodeID(10), from: membership))
        #expect(!directory.isRemoved(NodeID(1), from: membership))
    }

    @Test func `who leaves through a joint configuration is found until it is left`() throws {
        let joint = MembershipChange(
            [.remove(NodeID(3)), .addVoter(NodeID(4))], transition: .jointExplicit,
            context: update([4: four, 3: ClusterDirectory.Member(peer: "c:1")]))
        let (membership, directory) = try after([joint])
        #expect(membership.isJoint)
        #expect(directory[NodeID(3)]?.peer == "c:1")
        #expect(try after([joint, .leaveJoint]).1[NodeID(3)] == nil)
    }

    @Test func `a context that is no update is told, not guessed at`() throws {
        let change = MembershipChange([.addLearner(NodeID(4))], context: "nonsense")
        let membership = try founders.applying(change)
        #expect(throws: StorageError.self) { try emptyDirectory.applying(change, resulting: membership) }
        let good = update([4: four])
        for count in 1..<good.count {
            #expect(throws: StorageError.self) { try DirectoryUpdate(decoding: good.slice(0..<count)) }
        }
        #expect(throws: StorageError.self) { try DirectoryUpdate(decoding: Bytes(good.array + [0])) }
        let newer = #expect(throws: StorageError.self) { try DirectoryUpdate(decoding: good.flipped(at: 0, bit: 1)) }
        #expect(newer?.kind == .newerFormat)
    }

    @Test func `the bytes of an update`() throws {
        let hex =
            "01" + "01000000" + "0400000000000000" + "4400000000000000" + "01" + "0e000000"
            + Bytes("d.example:7400").hex + "0e000000" + Bytes("d.example:6379").hex + "00000000"
        #expect(update([4: four]).hex == hex)
        #expect(try DirectoryUpdate(decoding: Bytes(hex: hex)).members[NodeID(4)] == four)
        #expect(DirectoryUpdate().encode().isEmpty)
        #expect(try DirectoryUpdate(decoding: Bytes()).members.entries == [])
    }

    @Test(arguments: [
        ("members out of order", "01" + "02000000" + two + one), ("a member twice", "01" + "02000000" + one + one),
        ("more members than bytes", "01" + "ffffffff" + one), ("an unknown flag", "01" + "01000000" + flagged),
        ("an address that is no text", "01" + "01000000" + wild),
    ])
    func `an update that this version does not write is of a later one`(what: String, hex: String) {
        let error = #expect(throws: StorageError.self) { try DirectoryUpdate(decoding: Bytes(hex: hex)) }
        #expect(error?.kind == .newerFormat, "\(what)")
    }

    private static let rest = "0000000000000000" + "00" + "00000000" + "00000000" + "00000000"
    private static let one = "0100000000000000" + rest
    private static let two = "0200000000000000" + rest
    private static let flagged = "0100000000000000" + "0000000000000000" + "02" + "000000000000000000000000"
    private static let wild = "0100000000000000" + "0000000000000000" + "00" + "01000000ff" + "0000000000000000"
}
