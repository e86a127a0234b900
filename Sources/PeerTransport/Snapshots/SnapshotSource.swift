package import ByteCoding

/// A snapshot to send: bytes by offset, unchanged as long as its transfer lasts.
package protocol SnapshotSource: AnyObject, Sendable {
    /// What the receiver must know before the first byte; opaque here, at most
    /// `PeerTransportLimits.maxSnapshotMetadataBytes`. It should tell one snapshot from another, so that a receiver knows
    /// whether the part that it holds belongs to this one.
    var metadata: Bytes { get }
    /// How many bytes follow.
    var totalBytes: UInt64 { get }

    /// Reads exactly `count` bytes.
    ///
    /// Called on the transport's thread for snapshots, one call at a time: it may wait for the disk.
    func read(offset: UInt64, count: Int) throws(SnapshotSourceError) -> Bytes
}

/// The snapshot cannot be read any more. Scope: the transfer, which ends.
package struct SnapshotSourceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence.
    package let description: String
    package init(_ description: String) { self.description = description }
}
