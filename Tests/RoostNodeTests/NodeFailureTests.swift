import ByteCoding
import KeyValue
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

    @Test(
        arguments: [
            (.corruption, .corruption), (.newerFormat, .foreignData), (.wrongIdentity, .foreignData),
            (.io, .inputOutput),
        ] as [(StorageError.Kind, ExitCode)])
    func `a directory that can't be used`(kind: StorageError.Kind, code: ExitCode) {
        #expect(NodeFailure(storage: StorageError(kind, "x")).code == code)
    }
}
