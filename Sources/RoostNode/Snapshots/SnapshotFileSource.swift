import ByteCoding
import PeerTransport
import RaftStorage
import Synchronization

/// A finished snapshot file, as the transport sends it.
///
/// To the transport a failed read is the end of a transfer. What it means for the file and for the node is for `onError`,
/// which is called first, on the thread that read.
final class SnapshotFileSource: SnapshotSource {
    let metadata: Bytes
    let totalBytes: UInt64
    private let reader: SnapshotReader
    private let onError: @Sendable (StorageError) -> Void
    private let hasBegun = Atomic<Bool>(false)

    /// Whether any of its bytes were read, to be sent.
    var wasRead: Bool { hasBegun.load(ordering: .acquiring) }

    init(_ reader: SnapshotReader, onError: @escaping @Sendable (StorageError) -> Void) {
        self.reader = reader
        self.onError = onError
        metadata = reader.metadata
        totalBytes = reader.totalBytes
    }

    func read(offset: UInt64, count: Int) throws(SnapshotSourceError) -> Bytes {
        hasBegun.store(true, ordering: .releasing)
        do throws(StorageError) {
            try Failpoint.snapshotSendChunk.reachOrFail()
            return try reader.read(offset: offset, count: count)
        } catch {
            onError(error)
            throw SnapshotSourceError(error.message)
        }
    }
}
