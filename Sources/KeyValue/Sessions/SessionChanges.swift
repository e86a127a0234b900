import ByteCoding

/// What the session commands of one batch have changed, over the store that does not show it yet.
///
/// As with `Overlay`, nothing of it reaches the batch before `writeOut`: a hundred requests of one session cost one write
/// of its record.
struct SessionChanges {
    private struct Place: Hashable {
        var session: SessionID
        var slot: UInt32
    }

    private var replies: [Place: StoredReply] = [:]
    private var used: Set<SessionID> = []
    private var removed: [(session: SessionID, record: SessionRecord)] = []
    /// The orders of the first writes: those of a dictionary and a set must not show.
    private var replyOrder: [Place] = []
    private var useOrder: [SessionID] = []

    /// `nil`: the batch has not written the slot; ask the store.
    func reply(in session: SessionID, slot: UInt32) -> StoredReply? { replies[Place(session: session, slot: slot)] }

    mutating func use(_ session: SessionID) {
        if used.insert(session).inserted { useOrder.append(session) }
    }

    mutating func keep(_ reply: StoredReply, in session: SessionID, slot: UInt32) {
        let place = Place(session: session, slot: slot)
        if replies.updateValue(reply, forKey: place) == nil { replyOrder.append(place) }
    }

    mutating func remove(_ session: SessionID, _ record: SessionRecord) { removed.append((session, record)) }

    /// Puts what has changed into the batch. A session that is gone from the table leaves nothing.
    func writeOut(_ table: SessionTable, to batch: some StateBatch, group: UInt64) {
        for (session, record) in removed {
            batch.delete(StateKey.session(session, group: group))
            for slot in record.slotsInUse { batch.delete(StateKey.reply(session, slot: slot, group: group)) }
        }
        for session in useOrder {
            guard let record = table[session] else { continue }
            batch.put(StateKey.session(session, group: group), record.encode())
        }
        for place in replyOrder where table[place.session] != nil {
            guard let reply = replies[place] else { continue }
            batch.put(StateKey.reply(place.session, slot: place.slot, group: group), reply.encode())
        }
    }
}
