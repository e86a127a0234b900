/// The position of the command that last wrote a value, as the consensus engine gives it: unique, never reused, opaque to
/// clients. Raft: the entry's index and the command's ordinal (0-based) within the entry. Printed as `812-3`.
package struct Version: Hashable, Sendable, CustomStringConvertible {
    package var index: UInt64
    package var ordinal: UInt32
    package init(index: UInt64, ordinal: UInt32) {
        self.index = index
        self.ordinal = ordinal
    }
    package var description: String { "\(index)-\(ordinal)" }
}
