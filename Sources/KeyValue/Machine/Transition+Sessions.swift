import ByteCoding

/// Exactly-once sessions (Raft thesis, section 6.3): a request that comes again, from a client that does not know how the
/// first one ended, gets the first one's outcome and changes nothing.
///
/// Sessions are state like any other: what happens here follows from the log alone, and is written in the batch of the
/// effects.
extension Transition {
    /// Answers the new session's id. Sessions that are expired, and the least recently used ones beyond the limit, make
    /// room.
    mutating func openSession(_ limits: SessionLimits, _ context: CommandContext) throws(ApplyError) -> Outcome {
        try loadSessions()
        for _ in 0..<SessionTable.maxRemovalsPerOpen {
            guard let oldest = sessions.leastRecentlyUsed, let record = sessions[oldest] else { break }
            if record.isExpired(at: context.stamp) {
                remove(oldest, record, countedAs: \.expired)
            } else if sessions.count >= limits.maxSessions {
                remove(oldest, record, countedAs: \.evicted)
            } else {
                break
            }
        }
        sessions.statistics.opened += 1
        let session = SessionID(openedBy: context.version)
        put(session, SessionRecord(limits, openedBy: context.version, stamp: context.stamp))
        return .value(Bytes(session.description))
    }

    /// Answers how many sessions ended: 1, or 0.
    mutating func closeSession(_ session: SessionID, _ context: CommandContext) throws(ApplyError) -> Outcome {
        guard let record = try live(session, context) else { return .integer(0) }
        remove(session, record, countedAs: \.closed)
        return .integer(1)
    }

    /// Executes the command unless the session has, and then answers what it answered.
    ///
    /// Only a command that is executed counts as a use of the session.
    mutating func once(_ request: SessionRequest, _ context: CommandContext) throws(ApplyError) -> Outcome {
        let (session, sequence) = (request.session, request.sequence)
        guard var record = try live(session, context) else {
            sessions.statistics.unknown += 1
            return .failure(.noSession)
        }
        guard !record.isStale(sequence) else {
            sessions.statistics.stale += 1
            return .failure(.staleRequest)
        }
        let slot = record.slot(of: sequence)
        // A number above all others is new without a look.
        if sequence <= record.highest, let outcome = try outcome(of: sequence, in: session, slot: slot) {
            sessions.statistics.repeated += 1
            return outcome
        }
        var context = context
        // The outcome is part of the state, whether somebody waits for it on this node or not.
        context.isWanted = true
        context.maxOldValueBytes = StoredReply.maxValueBytes
        let outcome = try execute(request.command, context)
        sessions.statistics.executed += 1
        record.use(sequence, by: context.version, stamp: context.stamp)
        put(session, record)
        sessionChanges.keep(StoredReply(sequence: sequence, outcome: outcome), in: session, slot: slot)
        return outcome
    }

    /// The session's record; `nil` if there is no such session, or no more: one that has expired is removed here.
    private mutating func live(
        _ session: SessionID, _ context: CommandContext
    ) throws(ApplyError) -> SessionRecord? {
        try loadSessions()
        guard let record = sessions[session] else { return nil }
        guard !record.isExpired(at: context.stamp) else {
            remove(session, record, countedAs: \.expired)
            return nil
        }
        return record
    }

    /// What the request with this number answered; `nil`: it has not been executed.
    private func outcome(
        of sequence: UInt64, in session: SessionID, slot: UInt32
    ) throws(ApplyError) -> Outcome? {
        var reply = sessionChanges.reply(in: session, slot: slot)
        if reply == nil { reply = try storedReply(in: session, slot: slot) }
        return reply?.sequence == sequence ? reply?.outcome : nil
    }

    private func storedReply(in session: SessionID, slot: UInt32) throws(ApplyError) -> StoredReply? {
        do throws(StateStoreError) {
            let key = StateKey.reply(session, slot: slot, group: group)
            let stored = try key.withUnsafeBytes { (key) throws(StateStoreError) in
                try store.read(key, tier: .all) { $0.map(Bytes.init(copying:)) }
            }
            guard let stored else { return nil }
            return try StoredReply(decoding: stored)
        } catch {
            throw .store(error)
        }
    }

    private mutating func put(_ session: SessionID, _ record: SessionRecord) {
        sessions.put(session, record)
        sessionChanges.use(session)
    }

    private mutating func remove(
        _ session: SessionID, _ record: SessionRecord, countedAs counter: WritableKeyPath<SessionStatistics, Int>
    ) {
        sessions.statistics[keyPath: counter] += 1
        sessions.remove(session)
        sessionChanges.remove(session, record)
    }

    private func loadSessions() throws(ApplyError) {
        do throws(StateStoreError) {
            try sessions.loadIfNeeded(from: store, group: group)
        } catch {
            throw .store(error)
        }
    }
}
