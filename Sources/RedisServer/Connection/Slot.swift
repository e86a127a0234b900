import KeyValue

/// A reply that is owed to a connection: they leave in the order of the commands.
enum Slot {
    /// Known, but behind one that isn't.
    case reply(ReplyBuffer)
    /// A write that was handed over under this ticket.
    case write(ticket: UInt64)
    /// A read that may be executed once everything before it is answered and its ticket's moment has come.
    case read(ticket: UInt64, ReadCommand)
    /// A read that runs on a thread that may wait for the disk.
    case running
    /// A reply that the node gives later (`promiseReply`).
    case promised(UInt64)
}
