import DequeModule

/// What must reach the disk, what is on its way there, and the messages that wait for it.
///
/// Everything that changed between two drains becomes one batch with one ticket. A message that promises something is
/// held here until the ticket that makes the promise true is reported, so no shell can send it too early.
///
/// Reports are safe against ABA: each batch under way remembers how far the *current* log goes back to it. A truncation
/// lowers that for every batch under way, so that the late report of an overwritten entry says nothing about the entry
/// that took its place, even if index and length are the same again.
struct PersistQueue: Hashable, Sendable {
    struct UnderWay: Hashable, Sendable {
        var ticket: PersistTicket
        /// The last entry of the current log that is durable once the ticket is.
        var through: LogIndex
        /// When it was given out.
        var since: MonotonicTime
    }

    struct Held: Hashable, Sendable {
        var ticket: PersistTicket
        var message: Message
    }

    /// Ticket of the next batch.
    private(set) var nextTicket = PersistTicket(1)
    /// Everything up to this ticket is durable.
    private(set) var durableTicket = PersistTicket(0)
    /// Entries of the current log up to here are durable.
    private(set) var durableIndex: LogIndex
    /// Entries of the current log up to here were given out in batches.
    private(set) var writtenIndex: LogIndex
    private(set) var underWay: Deque<UnderWay> = []
    private(set) var held: Deque<Held> = []
    /// Something waits for the next batch. Stays until that batch is made, since messages may count on its ticket.
    private(set) var isNeeded = false
    private(set) var isHardStateChanged = false
    private(set) var truncateFrom: LogIndex?
    /// The last ticket that carries a change of term or vote.
    private(set) var hardStateTicket = PersistTicket(0)

    init(lastIndex: LogIndex) {
        durableIndex = lastIndex
        writtenIndex = lastIndex
    }

    var isHardStateDurable: Bool { hardStateTicket <= durableTicket }

    /// The ticket after which everything that was noted until now is durable.
    var latestTicket: PersistTicket { isNeeded ? nextTicket : PersistTicket(nextTicket.rawValue - 1) }

    mutating func hardStateChanged() {
        isNeeded = true
        isHardStateChanged = true
        hardStateTicket = nextTicket
    }

    mutating func appended() { isNeeded = true }

    /// The commit index must reach the disk even if nothing else has to.
    mutating func commitMatters() { isNeeded = true }

    /// The entries from `index` on left the log.
    mutating func truncated(from index: LogIndex) {
        isNeeded = true
        if index <= writtenIndex {
            truncateFrom = min(index, truncateFrom ?? index)
            writtenIndex = index.previous
        }
        durableIndex = min(durableIndex, index.previous)
        for position in underWay.indices {
            underWay[position].through = min(underWay[position].through, index.previous)
        }
    }

    /// Keeps `message` until term, vote and the entries up to `index` are durable as they are now.
    ///
    /// - Returns: `false` when they are so already, and the message may leave.
    mutating func hold(_ message: Message, untilDurable index: LogIndex) -> Bool {
        if isHardStateDurable, index <= durableIndex { return false }
        let ticket = latestTicket
        if let last = held.last, last.ticket == ticket, last.message.isOvertaken(by: message) { held.removeLast() }
        held.append(Held(ticket: ticket, message: message))
        return true
    }

    /// Makes the batch that is due; `nil` when nothing changed.
    ///
    /// - Parameter slice: receives the batch's entries, if it has any.
    mutating func takeBatch(
        group: GroupID, hardState: HardState, log: Log, now: MonotonicTime, slice: inout EntrySlice?
    ) -> PersistBatch? {
        guard isNeeded else { return nil }
        if writtenIndex < log.lastIndex {
            slice = log.slice(from: writtenIndex.next, through: log.lastIndex, maxBytes: .max)
        }
        let batch = PersistBatch(
            group: group, ticket: nextTicket, hardState: isHardStateChanged ? hardState : nil,
            truncateFrom: truncateFrom, entries: slice?.entries ?? [], commit: log.commitIndex)
        underWay.append(UnderWay(ticket: nextTicket, through: log.lastIndex, since: now))
        writtenIndex = log.lastIndex
        nextTicket = PersistTicket(nextTicket.rawValue + 1)
        isNeeded = false
        isHardStateChanged = false
        truncateFrom = nil
        return batch
    }

    /// When the oldest batch was given out that is not durable; `nil`: all are.
    var oldestSince: MonotonicTime? { underWay.first?.since }

    /// A snapshot took the place of the log, which now ends at `index`, durably.
    mutating func replaced(through index: LogIndex) {
        durableIndex = index
        writtenIndex = index
        truncateFrom = nil
        for position in underWay.indices { underWay[position].through = min(underWay[position].through, index) }
    }

    /// Notes that everything up to `ticket` is durable.
    ///
    /// - Precondition: `ticket` was given out.
    /// - Returns: the messages that waited for it.
    mutating func completed(_ ticket: PersistTicket) -> [Message] {
        precondition(ticket < nextTicket, "ticket \(ticket.rawValue) was never given out")
        guard ticket > durableTicket else { return [] }
        durableTicket = ticket
        while let oldest = underWay.first, oldest.ticket <= ticket {
            durableIndex = max(durableIndex, oldest.through)
            underWay.removeFirst()
        }
        var released: [Message] = []
        while let oldest = held.first, oldest.ticket <= ticket {
            held.removeFirst()
            released.append(oldest.message)
        }
        return released
    }
}

extension Message {
    /// Whether this acknowledgement of an append says nothing that `later` does not say too.
    fileprivate func isOvertaken(by later: Message) -> Bool {
        guard case .appendAccepted(let matched) = body, case .appendAccepted(let laterMatched) = later.body else {
            return false
        }
        return matched <= laterMatched && to == later.to && term == later.term
    }
}
