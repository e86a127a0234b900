import KeyValue
import NIOCore

/// A reply that is owed to a connection: they leave in the order of the commands.
enum Slot {
    /// Known, but behind one that isn't.
    case reply(ReplyBuffer)
    /// A write that was handed over under this ticket: so many bytes of a segment.
    case write(ticket: UInt64, bytes: Int)
    /// A read that may be executed once everything before it is answered and its ticket's moment has come.
    case read(ticket: UInt64, ReadCommand)
    /// A read that runs on a thread that may wait for the disk.
    case running
    /// A reply that the node gives later (`promiseReply`).
    case promised(UInt64)

    /// About what is kept for it; a read that runs has its keys elsewhere.
    var heldBytes: Int {
        switch self {
        case .reply(let buffer): buffer.buffer.readableBytes
        case .write(_, let bytes): bytes
        case .read(_, let read): read.heldBytes
        case .running, .promised: 0
        }
    }
}
