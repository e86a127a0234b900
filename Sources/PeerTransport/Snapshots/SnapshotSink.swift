package import ByteCoding

/// Takes a snapshot that comes from a peer.
///
/// Every call comes on the event loop of the connection: don't block, hand the work to a thread. The next call comes only
/// after `done` of the one before, and meanwhile the connection is not read: so a slow disk holds back the peer, and no more
/// than a few reads of the socket (about 1 MiB) wait in memory.
package protocol SnapshotSink: AnyObject, Sendable {
    /// The next bytes, whose checksum was right; they follow those of the call before without a gap.
    ///
    /// - Parameter done: from any thread, once. They need not be durable: what counts is `finish`.
    func append(_ chunk: Bytes, at offset: UInt64, done: @escaping @Sendable (SnapshotSinkResult) -> Void)

    /// Everything has been appended: check it, make it durable.
    ///
    /// - Parameter done: from any thread, once, within `PeerTransportLimits.snapshotFinishTimeout`. `.done` tells the
    ///   sender that the snapshot is delivered.
    func finish(done: @escaping @Sendable (SnapshotSinkResult) -> Void)

    /// The stream ended before `finish` was done. No call follows; the `done` of a call that is under way is ignored.
    ///
    /// What was appended may be kept: the sender comes again, and goes on from where the sink's owner says. A call that is
    /// under way must be over before that.
    func interrupted(_ reason: String)
}

/// How a call of a `SnapshotSink` ended.
package enum SnapshotSinkResult: Hashable, Sendable {
    case done
    /// One sentence, for both logs. The transfer ends, the sink hears nothing more.
    case failed(String)
}
