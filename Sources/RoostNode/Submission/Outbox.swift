import ByteCoding
import DequeModule
import Raft

/// The segments that this node took from its clients and that are not settled yet, in the order of their effects.
///
/// A segment is *parked* until there is a leader to send it to (this node or another), then *sent* in that leader's
/// term. Three facts make the outcome exact without any reply from the leader:
///
/// 1. The leader of term T takes a segment only if it was sent in T, so it can stand only in entries of term T.
/// 2. Entries are applied in order and their terms never fall: once this node has applied an entry of a later term,
///    a segment sent in T that was not among the applied ones never will be. It is parked again, and sent anew.
/// 3. The node that sent it finds it in its own apply stream (`Origin`), and answers its client from there.
///
/// Order: the segments of a term form a stream in which each names the one sent before it (`previous`); the leader
/// takes them only in that order (`ForwardAcceptor`), so that a frame lost with a connection cannot let a later one
/// overtake. Nothing is sent in a new term before the fate of everything sent in older ones is known.
///
/// Pure: no clock, no I/O.
struct Outbox {
    struct Limits {
        /// A segment that was never sent, or is certainly lost, is answered after this long. Default 2 s.
        var parkTimeout: Duration = .seconds(2)
        /// A segment that was sent is in doubt after this long without news. Default 5 s.
        var requestTimeout: Duration = .seconds(5)
        /// What was sent to another node and is not settled is sent again after this long, then twice as long, up to
        /// eight times. Default 500 ms.
        var resendInterval: Duration = .milliseconds(500)
        /// Bytes that are sent and not settled; one segment is always let through. Default 16 MiB.
        var maxSentBytes = 16 << 20
    }

    /// Where segments go: the leader of a term.
    struct Route: Equatable {
        var leader: NodeID
        var term: Term
    }

    struct Send {
        var sequence: UInt64
        var previous: UInt64
        var segment: Bytes
    }

    enum Expiry: Equatable {
        /// Certainly not applied: never sent, or proven lost; there was no leader.
        case noLeader
        /// Certainly not applied: there is a leader, but it could not take the segment yet.
        case busy
        /// Sent; the fate is open.
        case inDoubt
    }

    private struct Item {
        let sequence: UInt64
        let segment: Bytes
        let arrived: MonotonicTime
        /// The term in which it was sent; `nil` while parked.
        var sentIn: Term?
        var previous: UInt64 = 0
        /// The client was told that the outcome is unknown. The segment stays, because the stream needs its link.
        var isAbandoned = false
    }

    private let limits: Limits
    /// Sent ones first, then parked ones.
    private var items: Deque<Item> = []
    /// How many of `items` are sent.
    private var sentCount = 0
    private var route: Route?
    /// The last sequence sent in `streamTerm`; 0 at its start.
    private var streamTerm = Term.zero
    private var lastSent: UInt64 = 0
    private var sentBytes = 0
    private var isResendDue = false
    private var resendAt = MonotonicTime.never
    private var resendDelay: Duration

    init(limits: Limits) {
        self.limits = limits
        resendDelay = limits.resendInterval
    }

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }

    /// Takes a segment. Sequences rise by one from call to call.
    mutating func enqueue(sequence: UInt64, segment: Bytes, at now: MonotonicTime) {
        items.append(Item(sequence: sequence, segment: segment, arrived: now))
    }

    /// `nil`: no leader is known.
    mutating func setRoute(_ new: Route?) {
        guard new != route else { return }
        route = new
        if new == nil, resendAt != .never {
            // Nothing can be sent; with the next leader of this term everything is.
            resendAt = .never
            isResendDue = true
        }
        guard let new, new.term != streamTerm else { return }
        streamTerm = new.term
        lastSent = 0
        resendAt = .never
    }

    /// The link to the leader was made anew: frames may be lost.
    mutating func linkReset() { isResendDue = true }

    /// What is to be sent now, in order: everything unsettled again when a resend is due, then what is parked, as far
    /// as the limit allows. Empty without a route.
    ///
    /// - Parameter isLocal: the route is this node; what it proposed to itself needs no resend.
    mutating func takeSends(isLocal: Bool, at now: MonotonicTime) -> [Send] {
        guard let route else { return [] }
        var sends: [Send] = []
        if !isLocal, isResendDue || now >= resendAt {
            resendDelay = isResendDue ? limits.resendInterval : min(resendDelay * 2, limits.resendInterval * 8)
            for item in items where item.sentIn == route.term {
                sends.append(Send(sequence: item.sequence, previous: item.previous, segment: item.segment))
            }
            resendAt = sends.isEmpty ? .never : now.advanced(by: resendDelay)
        }
        isResendDue = false
        appendParked(to: &sends, in: route.term)
        if !isLocal, !sends.isEmpty, resendAt == .never { resendAt = now.advanced(by: resendDelay) }
        return sends
    }

    private mutating func appendParked(to sends: inout [Send], in term: Term) {
        let firstParked = items.startIndex + sentCount
        guard firstParked < items.endIndex else { return }
        // Nothing overtakes a segment whose fate in an older term is open.
        if sentCount > 0, items[firstParked - 1].sentIn != term { return }
        for position in firstParked..<items.endIndex {
            let bytes = items[position].segment.count
            guard sentBytes == 0 || sentBytes + bytes <= limits.maxSentBytes else { return }
            items[position].sentIn = term
            sentCount += 1
            items[position].previous = lastSent
            lastSent = items[position].sequence
            sentBytes += bytes
            sends.append(
                Send(sequence: lastSent, previous: items[position].previous, segment: items[position].segment))
        }
    }

    /// The segment was applied.
    mutating func settled(_ sequence: UInt64, at now: MonotonicTime) {
        guard let first = items.first, sequence >= first.sequence else { return }
        guard let position = position(of: sequence) else { return }
        remove(at: position)
        resendDelay = limits.resendInterval
        // Never set for what this node proposed to itself.
        guard resendAt != .never else { return }
        resendAt = items.first?.sentIn == nil ? .never : now.advanced(by: resendDelay)
    }

    /// An entry of `term` was applied: what was sent in older terms and is not settled never takes effect.
    mutating func applied(term: Term) {
        // Sent items come before parked ones, and their terms do not fall: only the front can be older.
        guard let first = items.first?.sentIn, first < term else { return }
        var kept: Deque<Item> = []
        for var item in items {
            if let sentIn = item.sentIn, sentIn < term {
                sentBytes -= item.segment.count
                if item.isAbandoned { continue }
                item.sentIn = nil
                item.previous = 0
            }
            kept.append(item)
        }
        replaceItems(with: kept)
    }

    /// A snapshot took the place of entries up to one of `term`: what was sent in that term or before may be among them
    /// and will never be seen in this node's apply stream. It must not be sent anew in a later term.
    ///
    /// - Returns: the segments whose clients must be told that they are in doubt.
    mutating func snapshotInstalled(term: Term) -> [UInt64] {
        var doubtful: [UInt64] = []
        var kept: Deque<Item> = []
        for var item in items {
            if let sentIn = item.sentIn, sentIn <= term {
                if !item.isAbandoned { doubtful.append(item.sequence) }
                item.isAbandoned = true
                // One of the snapshot's own term may still be on its way: it keeps its place in the stream.
                if sentIn < term {
                    sentBytes -= item.segment.count
                    continue
                }
            }
            kept.append(item)
        }
        replaceItems(with: kept)
        return doubtful
    }

    /// The segments whose clients must be answered now. Those in doubt stay until they are settled or lost.
    mutating func expire(at now: MonotonicTime) -> [(sequence: UInt64, expiry: Expiry)] {
        guard now >= nextExpiry else { return [] }
        var expired: [(UInt64, Expiry)] = []
        var kept: Deque<Item> = []
        for var item in items {
            let age = now.since(item.arrived)
            if item.sentIn == nil, age >= limits.parkTimeout {
                expired.append((item.sequence, route == nil ? .noLeader : .busy))
                continue
            }
            if item.sentIn != nil, !item.isAbandoned, age >= limits.requestTimeout {
                expired.append((item.sequence, .inDoubt))
                item.isAbandoned = true
            }
            kept.append(item)
        }
        replaceItems(with: kept)
        return expired
    }

    /// Gives up everything, at the end of the process: what was never sent is certainly not applied.
    mutating func abandonAll() -> [(sequence: UInt64, wasSent: Bool)] {
        defer { replaceItems(with: []) }
        return items.filter { !$0.isAbandoned }.map { ($0.sequence, $0.sentIn != nil) }
    }

    /// When `takeSends` or `expire` has something to do although nothing else happens.
    var nextDeadline: MonotonicTime { min(nextExpiry, resendAt) }

    /// Arrivals rise along the queue, so the first of each kind is the earliest.
    private var nextExpiry: MonotonicTime {
        let isParked = sentCount < items.count
        let parked = isParked ? items[items.startIndex + sentCount].arrived.advanced(by: limits.parkTimeout) : nil
        let sent = items.first { $0.sentIn != nil && !$0.isAbandoned }?.arrived.advanced(by: limits.requestTimeout)
        return min(parked ?? .never, sent ?? .never)
    }

    private mutating func replaceItems(with new: Deque<Item>) {
        items = new
        sentCount = items.firstIndex { $0.sentIn == nil } ?? items.count
    }

    private func position(of sequence: UInt64) -> Int? {
        if items.first?.sequence == sequence { return items.startIndex }
        return items.firstIndex { $0.sequence == sequence }
    }

    private mutating func remove(at position: Int) {
        if items[position].sentIn != nil {
            sentBytes -= items[position].segment.count
            sentCount -= 1
        }
        if position == items.startIndex { items.removeFirst() } else { items.remove(at: position) }
    }
}
