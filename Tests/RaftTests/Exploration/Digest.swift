@testable import Raft

/// What of a node can ever matter, as a hash.
///
/// Left out: what never changes (the settings), what `ExploredNode` keeps constant (the clock, chance), and what
/// follows from the rest. Tickets count from the last durable one, because only their distance matters. Everything else
/// is in; `DigestTests` fails when the core gets a field that nobody has thought about here.
extension ExploredNode {
    var digest: Int {
        var hasher = Hasher()
        core.hashState(into: &hasher)
        hasher.combine(disk)
        hasher.combine(writes.count)
        for write in writes { hash(write, into: &hasher) }
        hasher.combine(unapplied.last?.id)
        hasher.combine(applied)
        return hasher.finalize()
    }

    private func hash(_ write: ExploredWrite, into hasher: inout Hasher) {
        switch write {
        case .batch(var batch):
            batch.ticket = core.persistence.relative(batch.ticket)
            hasher.combine(batch)
        case .install(let meta): hasher.combine(meta)
        }
    }
}

extension RaftCore {
    static let hashedFields = [
        "membership", "hardState", "role", "leader", "leaderOfTerm", "heardLeaderAt", "election", "mayVote",
        "catchUp", "log", "persistence", "restoredCommit", "truncatableIndex", "peers", "leadership",
        "installing",
        "isDiskFull", "reads", "proposals", "openFetches", "openSnapshots", "announced", "violation",
    ]
    static let unhashedFields = [
        // Constant in an explored world. (No leases there: they are about nothing but time.)
        "configuration", "now", "random", "leasePromiseEnd",
        // Empty between steps; and the term, vote and commit index once more.
        "effects", "watermarks",
        // A violation ends the search.
        "isViolationReported",
    ]

    fileprivate func hashState(into hasher: inout Hasher) {
        hasher.combine(membership)
        hasher.combine(hardState)
        hasher.combine(role)
        hasher.combine(leader)
        hasher.combine(leaderOfTerm)
        hasher.combine(heardLeaderAt)
        var election = election
        election.ownVoteTicket = election.ownVoteTicket.map(persistence.relative)
        hasher.combine(election)
        hasher.combine(mayVote)
        hasher.combine(catchUp)
        hasher.combine(log)
        persistence.hashState(into: &hasher)
        // Of no meaning once it is applied.
        hasher.combine(log.appliedIndex >= restoredCommit ? .zero : restoredCommit)
        hasher.combine(truncatableIndex)
        hasher.combine(installing)
        hasher.combine(isDiskFull)
        hasher.combine(reads)
        hasher.combine(proposals)
        hasher.combine(openFetches)
        hasher.combine(openSnapshots)
        hasher.combine(announced)
        hasher.combine(violation)
        // Only a leader looks at what it knows of others, and starts anew each time.
        guard role == .leader else { return }
        hasher.combine(peers)
        hasher.combine(leadership)
    }
}

extension PersistQueue {
    static let hashedFields = [
        "nextTicket", "durableTicket", "durableIndex", "writtenIndex", "underWay", "held", "isNeeded",
        "isHardStateChanged", "truncateFrom", "hardStateTicket",
    ]

    /// The ticket, counted from the last durable one; 0 for all that are durable.
    fileprivate func relative(_ ticket: PersistTicket) -> PersistTicket {
        PersistTicket(ticket.rawValue > durableTicket.rawValue ? ticket.rawValue - durableTicket.rawValue : 0)
    }

    fileprivate func hashState(into hasher: inout Hasher) {
        hasher.combine(relative(nextTicket))
        hasher.combine(durableIndex)
        hasher.combine(writtenIndex)
        hasher.combine(underWay.count)
        for write in Array(underWay) {
            hasher.combine(relative(write.ticket))
            hasher.combine(write.through)
        }
        hasher.combine(held.count)
        for promise in Array(held) {
            hasher.combine(relative(promise.ticket))
            hasher.combine(promise.message)
        }
        hasher.combine(isNeeded)
        hasher.combine(isHardStateChanged)
        hasher.combine(truncateFrom)
        hasher.combine(relative(hardStateTicket))
    }
}
