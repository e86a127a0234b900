package import ByteCoding
package import Raft

/// A finished snapshot of this node's state, to be sent: its bytes by offset.
///
/// It keeps its file open, which may be deleted meanwhile. Any thread that may wait for a disk reads, several at once.
package final class SnapshotReader: Sendable {
    package let description: SnapshotDescription
    private let file: any SnapshotFile

    init(_ file: any SnapshotFile, _ description: SnapshotDescription) {
        self.file = file
        self.description = description
    }

    package var meta: SnapshotMeta { description.meta }
    package var totalBytes: UInt64 { description.totalBytes }
    /// The description, encoded: for the offer.
    package var metadata: Bytes { description.encode() }

    /// Exactly `count` bytes from `offset` on.
    ///
    /// - Throws: `.corruption` beyond the end, `.io`.
    package func read(offset: UInt64, count: Int) throws(StorageError) -> Bytes {
        try file.read(at: offset, count: count)
    }
}
