import ByteCoding

/// What a command needs to know besides its own bytes while it is executed.
struct CommandContext {
    /// The version that its writes get.
    var version: Version
    /// Milliseconds since 1970 by the clock of the leader that made the block: the only time that a command may know.
    let stamp: UInt64
    /// Whether somebody waits for the outcome; if not, it need not be built.
    var isWanted: Bool
    /// The longest old value that may be answered, in bytes.
    var maxOldValueBytes = Int.max
    /// The block that the command lies in.
    let payload: Bytes
    /// Where `payload` lies now.
    let memory: UnsafeRawBufferPointer

    /// The bytes of a run within the payload, sharing its storage.
    func bytes(of run: UnsafeRawBufferPointer) -> Bytes {
        guard let start = run.baseAddress, let base = memory.baseAddress, !run.isEmpty else { return Bytes() }
        let offset = start - base
        return payload.slice(offset..<offset + run.count)
    }
}
