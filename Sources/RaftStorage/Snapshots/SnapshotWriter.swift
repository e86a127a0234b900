package import ByteCoding
import Synchronization

/// A snapshot that is being received: its bytes in order, from `offset` on.
///
/// One thread at a time calls it, one that may wait for a disk. The part that came stays when a transfer breaks off,
/// for as long as the process lives and no other snapshot is offered: `NodeStore.receiveSnapshot` goes on with it.
package final class SnapshotWriter: Sendable {
    package let description: SnapshotDescription
    private let files: any SnapshotFiles
    let name: String
    private let content: Mutex<Content>

    private struct Content {
        var file: any SnapshotFile
        var offset: UInt64
        /// False: another transfer took over, or this one is finished.
        var isOpen = true
    }

    init(
        _ file: any SnapshotFile, name: String, in files: any SnapshotFiles, offset: UInt64,
        _ description: SnapshotDescription
    ) {
        self.description = description
        self.files = files
        self.name = name
        content = Mutex(Content(file: file, offset: offset))
    }

    /// How much is here: the transfer goes on from this byte.
    package var offset: UInt64 { content.withLock { $0.offset } }

    /// Takes the bytes that stand at `offset`.
    ///
    /// - Throws: `.malformed` for bytes that don't follow what is here or go beyond the end, and after another transfer
    ///   took over; `.storage`.
    package func append(_ bytes: Bytes, at offset: UInt64) throws(SnapshotError) {
        try content.withLock { (content) throws(SnapshotError) in
            try checkIsOpen(content)
            guard offset == content.offset, UInt64(bytes.count) <= description.totalBytes - offset else {
                throw .malformed(
                    "\(bytes.count) bytes at \(offset) of a snapshot that has \(content.offset) of "
                        + "\(description.totalBytes)")
            }
            let file = content.file
            try snapshot { () throws(StorageError) in
                try Failpoint.snapshotReceiveChunk.reachOrFail()
                try file.append(bytes)
            }
            content.offset += UInt64(bytes.count)
        }
    }

    /// Checks the whole snapshot and makes it durable. One that is malformed, or could not be made durable, is removed.
    ///
    /// - Parameter check: asked again and again while the file is read; what it throws ends that, and the file is removed.
    package func finish(
        check: () throws(StorageError) -> Void = { () throws(StorageError) in }
    ) throws(SnapshotError) -> ReceivedSnapshot {
        try content.withLock { (content) throws(SnapshotError) in
            try checkIsOpen(content)
            content.isOpen = false
            let file = content.file
            do throws(SnapshotError) {
                var decoder = try SnapshotDecoder(file, description)
                try decoder.read { (_, _) throws(StorageError) in try check() }
            } catch {
                try snapshot { () throws(StorageError) in try files.remove(name) }
                throw error
            }
            let received = ReceivedSnapshot(description: description, name: name + ".snap")
            do throws(StorageError) {
                try Failpoint.snapshotReceiveBeforeSync.reachOrFail()
                try file.sync()
                try Failpoint.snapshotReceiveBeforeRename.reachOrFail()
                try files.rename(name, to: received.name)
                Failpoint.snapshotReceiveAfterRename.reach()
            } catch {
                // What a failed sync has left may look written to the next one: no attempt may go on with this file.
                try snapshot { () throws(StorageError) in
                    for name in [name, received.name] { try files.remove(name) }
                }
                throw .storage(error)
            }
            return received
        }
    }

    /// Gives the transfer up and removes what came.
    package func discard() throws(StorageError) {
        let wasOpen = close()
        if wasOpen { try files.remove(name) }
    }

    /// Nothing more is taken; the file stays. False: that was so already.
    @discardableResult
    func close() -> Bool {
        content.withLock { content in
            defer { content.isOpen = false }
            return content.isOpen
        }
    }

    private func checkIsOpen(_ content: borrowing Content) throws(SnapshotError) {
        guard content.isOpen else { throw .malformed("the snapshot is finished, or another transfer took its place") }
    }
}

/// A snapshot that is here, whole and checked: for `NodeStore.install` or `NodeStore.discard`.
package struct ReceivedSnapshot: Hashable, Sendable {
    package let description: SnapshotDescription
    let name: String
}
