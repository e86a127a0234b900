import ByteCoding
import KeyValue
import Raft
import RaftStorage
import Testing

@testable import RoostNode

@Suite("How errors of the layers below end the process")
struct NodeFailureTests {
    /// Nothing may be given up for an entry that is as it was written.
    @Test(
        arguments: [
            (.newerBlock(version: 2), .foreignData), (.unknownOpcode(77), .foreignData),
            (.unknownFlags(8, opcode: 1), .foreignData), (.malformed(MalformedBytes("count", at: 3)), .corruption),
        ] as [(FormatError, ExitCode)])
    func `an entry that can't be applied`(error: FormatError, code: ExitCode) {
        let failure = NodeFailure(applying: .payload(index: 7, error))
        #expect(failure.code == code && failure.damage == nil)
        #expect(failure.cause.contains("entry 7"))
    }

    /// What stands in an entry that fits its checksum was made so: here by a later version.
    @Test(
        arguments: [
            Bytes([2, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            Bytes(MembershipChange([.addVoter(NodeID(4))]).encode().array.enumerated().map { $0 == 6 ? 9 : $1 }),
            MembershipChange([.addVoter(NodeID(4))], context: Bytes([2, 0])).encode(),
            MembershipChange([.addVoter(NodeID(4))], context: Bytes([1, 0])).encode(),
        ])
    func `a change of the membership that a later version wrote`(payload: Bytes) {
        let founders = Membership(voters: [NodeID(1)])
        let machine = StateMachine(
            store: MemoryStateStore(), group: GroupID(1), node: NodeID(1), incarnation: 1,
            cluster: ClusterPosition(membership: founders, directory: ClusterDirectory(founders: founders.voters)))
        let id = EntryID(term: Term(1), index: LogIndex(7))
        let entry = Entry(group: GroupID(1), id: id, kind: .membership, payload: payload)
        let failure = #expect(throws: NodeFailure.self) { try machine.apply([entry]) { _, _ in } }
        #expect(failure?.code == .foreignData && failure?.damage == nil)
        #expect(failure?.cause.contains("entry 7") == true && failure?.remedy.contains("install the version") == true)
        #expect(machine.cluster.membership == founders)
    }

    @Test(
        arguments: [
            (.corruption, .corruption), (.newerFormat, .foreignData), (.wrongIdentity, .foreignData),
            (.io, .inputOutput),
        ] as [(StorageError.Kind, ExitCode)])
    func `a directory that can't be used`(kind: StorageError.Kind, code: ExitCode) {
        #expect(NodeFailure(storage: StorageError(kind, "x")).code == code)
    }
}
