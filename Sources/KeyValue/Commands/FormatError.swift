package import ByteCoding

/// Command bytes that this version does not understand.
///
/// Scope: from a peer, the link (refuse what it sent). From the log, the node: the entry is committed, every replica has
/// to apply it alike, so a node that cannot read it must stop, not skip it.
package enum FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(MalformedBytes)
    case newerBlock(version: UInt8)
    case unknownOpcode(UInt8)
    case unknownFlags(UInt8, opcode: UInt8)

    /// Whether a later version wrote them, if they are as they were written.
    package var isOfLaterVersion: Bool {
        switch self {
        case .malformed: false
        case .newerBlock, .unknownOpcode, .unknownFlags: true
        }
    }

    package var description: String {
        switch self {
        case .malformed(let error): error.description
        case .newerBlock(let version):
            "block version \(version), this node reads up to \(Block.version): upgrade it to its peers' version"
        case .unknownOpcode(let opcode):
            "command opcode \(opcode) is unknown to this node: upgrade it to its peers' version"
        case .unknownFlags(let flags, let opcode):
            "flags \(flags) of command opcode \(opcode) are unknown to this node: upgrade it to its peers' version"
        }
    }
}
