import DequeModule
import Raft

/// The reads of this node's clients that wait for a read index, and then for the state to reach it.
///
/// Reads are asked for in groups: everything queued when the consensus thread comes by shares one token. A group that
/// failed is asked again as soon as a leader is known; a read may be asked for any number of times.
///
/// Pure: no clock, no I/O. `Waiter` says whom to tell.
struct ReadCoordinator<Waiter> {
    private struct Group {
        var token: ReadToken
        var arrived: MonotonicTime
        var waiters: [Waiter]
        /// Known once the leader answered.
        var index: LogIndex?
    }

    private let parkTimeout: Duration
    private let incarnation: UInt64
    private var count: UInt64 = 0
    private var queued: [Waiter] = []
    private var queuedSince = MonotonicTime.never
    private var groups: Deque<Group> = []

    /// - Parameter incarnation: of this process, for tokens that are unique for ever.
    init(parkTimeout: Duration, incarnation: UInt64) {
        self.parkTimeout = parkTimeout
        self.incarnation = incarnation
    }

    var isEmpty: Bool { queued.isEmpty && groups.isEmpty }

    mutating func enqueue(_ waiter: Waiter, at now: MonotonicTime) {
        if queued.isEmpty { queuedSince = min(queuedSince, now) }
        queued.append(waiter)
    }

    /// A token to ask for, if anything is queued and a leader is known.
    mutating func takeToken(hasLeader: Bool) -> ReadToken? {
        guard hasLeader, !queued.isEmpty else { return nil }
        count += 1
        let token = ReadToken(incarnation: incarnation, count: count)
        groups.append(Group(token: token, arrived: queuedSince, waiters: queued))
        queued = []
        queuedSince = .never
        return token
    }

    /// The leader answered; the waiters come out of `takeReady` once `index` is applied.
    mutating func ready(_ token: ReadToken, at index: LogIndex) {
        guard let position = groups.firstIndex(where: { $0.token == token }) else { return }
        groups[position].index = index
    }

    /// Back into the queue, with the time of their arrival.
    mutating func failed(_ token: ReadToken) {
        guard let position = groups.firstIndex(where: { $0.token == token }) else { return }
        let group = groups.remove(at: position)
        queued = group.waiters + queued
        queuedSince = min(queuedSince, group.arrived)
    }

    /// Everyone whose index the state has reached, in order of arrival as far as the leader's answers allow.
    mutating func takeReady(applied: LogIndex) -> [Waiter] {
        var ready: [Waiter] = []
        groups.removeAll { group in
            guard let index = group.index, index <= applied else { return false }
            ready += group.waiters
            return true
        }
        return ready
    }

    /// Everyone who waited for `parkTimeout` in vain.
    mutating func expire(at now: MonotonicTime) -> [Waiter] {
        guard now >= nextDeadline else { return [] }
        var expired: [Waiter] = []
        groups.removeAll { group in
            guard now >= group.arrived.advanced(by: parkTimeout) else { return false }
            expired += group.waiters
            return true
        }
        if now >= queuedSince.advanced(by: parkTimeout) {
            expired += queued
            queued = []
            queuedSince = .never
        }
        return expired
    }

    /// Everyone who still waits, at the end.
    mutating func abandonAll() -> [Waiter] {
        defer {
            groups = []
            queued = []
            queuedSince = .never
        }
        return groups.flatMap(\.waiters) + queued
    }

    var nextDeadline: MonotonicTime {
        min(groups.first?.arrived ?? .never, queuedSince).advanced(by: parkTimeout)
    }
}
