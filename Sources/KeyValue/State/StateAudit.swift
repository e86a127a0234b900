import ByteCoding

/// Looks at the stored pairs of one group, one after the other, and tells whether a state machine can have written them:
/// for verification without a running node, and while one runs.
///
/// Give it the pairs in the order of their keys, all of one moment; any first part of them is judged rightly, too.
package struct StateAudit: Sendable {
    package private(set) var values = 0
    package private(set) var sessions = 0
    package private(set) var replies = 0
    /// Of keys and values, as stored.
    package private(set) var bytes = 0
    /// Of what came by, but the applied record: replicas at the same position have the same.
    package private(set) var digest = StateDigest()

    private let group: UInt64
    private let applied: UInt64
    /// Whose records came by: replies stand behind all of them, and are deleted with them.
    private var known: [SessionID: SessionRecord] = [:]

    /// - Parameter applied: the last entry whose effects the state holds.
    package init(group: UInt64, applied: UInt64) {
        self.group = group
        self.applied = applied
    }

    /// - Throws: `.corruption`, with the key.
    package mutating func check(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(StateStoreError) {
        bytes += key.count + value.count
        guard key.count >= StateKey.userPrefixBytes,
            key.loadUnaligned(as: UInt64.self) == group.bigEndian
        else { throw damage(key, "is of no group that this node has") }
        let family = key[StateKey.userPrefixBytes - 1]
        if family != StateKey.appliedFamily { digest.add(key, value) }
        switch family {
        case StateKey.appliedFamily:
            guard Bytes(copying: key) == AppliedRecord.key(group: group) else { throw damage(key, "is of no record") }
        case StateKey.userFamily: try checkValue(key, value)
        case StateKey.sessionFamily: try checkSession(key, value)
        case StateKey.replyFamily: try checkReply(key, value)
        default: throw damage(key, "is of a kind that this build does not know")
        }
    }

    private mutating func checkValue(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(StateStoreError) {
        values += 1
        let header: ValueHeader
        do throws(ValueFormatError) { header = try ValueHeader.decode(value).header } catch {
            throw damage(key, "has a value that can't be read: \(error)")
        }
        try checkPosition(header.version.index, of: key)
    }

    private mutating func checkSession(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(StateStoreError) {
        sessions += 1
        guard let session = StateKey.session(ofKey: Bytes(copying: key)) else { throw damage(key, "is of no session") }
        let record = try SessionRecord(decoding: Bytes(copying: value))
        try checkPosition(max(session.index, record.used.index), of: key)
        known[session] = record
    }

    private mutating func checkReply(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(StateStoreError) {
        replies += 1
        guard let (session, slot) = StateKey.reply(ofKey: Bytes(copying: key)) else {
            throw damage(key, "is of no session's reply")
        }
        guard let record = known[session] else { throw damage(key, "is of a session that is not there") }
        let reply = try StoredReply(decoding: Bytes(copying: value))
        guard reply.sequence <= record.highest, record.slot(of: reply.sequence) == slot else {
            throw damage(key, "holds the reply of request \(reply.sequence), which does not belong there")
        }
    }

    /// Nothing in the state is younger than what was applied last.
    private func checkPosition(_ index: UInt64, of key: UnsafeRawBufferPointer) throws(StateStoreError) {
        guard index > 0, index <= applied else {
            throw damage(key, "was written by entry \(index), but only \(applied) is applied")
        }
    }

    private func damage(_ key: UnsafeRawBufferPointer, _ what: String) -> StateStoreError {
        StateStoreError(.corruption, "the key \(KeyText.of(key)) of the state \(what)")
    }
}
