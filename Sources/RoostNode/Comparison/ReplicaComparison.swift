import ByteCoding
import PeerTransport
import Raft

/// A leader's comparison of all replicas' states: what it asks next, and what follows from the answers. Pure.
///
/// A pass goes over the whole state in slices. For each slice the leader names an index; every node takes the state of the
/// moment when it has applied exactly that much, and sends digests of the slice's chunks. All equal: the next slice follows.
/// Otherwise the keys of the first chunk that differs are asked for, at a later index, one by one: the first difference
/// among them ends the pass.
struct ReplicaComparison {
    struct Limits {
        /// From the end of a pass to the beginning of the next.
        var interval: Duration
        /// Compared at one index.
        var sliceBytes: Int
        /// Answers that take longer are not waited for.
        var patience: Duration
    }

    /// What the consensus thread has to be told.
    enum Event: Hashable {
        /// All that was compared was equal.
        case passed
        case differ(Difference)
    }

    struct Difference: Hashable {
        /// Seen with everything up to here applied.
        var index: LogIndex
        /// The first that differs, as it is stored; nil: the difference was gone when the keys were asked for.
        var key: Bytes?
        /// Who has something else than a majority of the voters has; empty: there is no such majority.
        var astray: [NodeID]
        /// Who answered.
        var compared: [NodeID]
    }

    private enum Aim {
        case surveying(from: Bytes)
        /// The first chunk that differed begins at `from` and ends here with `last` (nil: is not there).
        case searching(from: Bytes, last: Bytes?, sighting: Difference, rounds: Int)
    }

    private struct Round {
        var request: ComparisonRequest
        var missing: Set<NodeID>
        var reports: [NodeID: ComparisonReport] = [:]
        /// The last keys of this node's chunks.
        var lastKeys: [Bytes] = []
        var deadline: MonotonicTime
        /// When to look who is still there.
        var nextLook: MonotonicTime
    }

    /// Small enough to ask for its keys; so many digests of 12 bytes tell of a slice of 32 MiB: 512.
    static let chunkBytes: UInt32 = 64 << 10
    /// A new leader has better things to do.
    static let firstDelay = Duration.seconds(60)
    /// After a round without enough answers, where passes are further apart than that.
    private static let longestRetryDelay = Duration.seconds(5)
    /// Whoever is gone is not waited for any longer than that.
    private static let lookInterval = Duration.seconds(1)
    /// Keys that moved away meanwhile are followed so far.
    private static let maxSearchRounds = 8

    private let node: NodeID
    private let group: GroupID
    private let range: (lower: Bytes, upper: Bytes)
    private let limits: Limits
    private var aim: Aim
    private var nextAsk = MonotonicTime.never
    private var round: Round?
    private var lastRound: UInt64 = 0
    /// In which this node leads.
    private(set) var term: Term?

    /// - Parameter range: what is compared: `lower <= key < upper`, as stored.
    init(node: NodeID, group: GroupID, range: (lower: Bytes, upper: Bytes), limits: Limits) {
        (self.node, self.group, self.range, self.limits) = (node, group, range, limits)
        aim = .surveying(from: range.lower)
    }

    private var retryDelay: Duration { min(Self.longestRetryDelay, max(limits.interval, .milliseconds(100))) }

    /// Something is due then.
    var nextDeadline: MonotonicTime { round.map { min($0.deadline, $0.nextLook) } ?? nextAsk }

    // MARK: Leading

    mutating func lead(_ term: Term, at now: MonotonicTime) {
        self.term = term
        (round, lastRound) = (nil, 0)
        aim = .surveying(from: range.lower)
        nextAsk = now.advanced(by: min(limits.interval, Self.firstDelay))
    }

    mutating func stopLeading() {
        (term, round, nextAsk) = (nil, nil, .never)
    }

    // MARK: Asking

    func isDue(at now: MonotonicTime) -> Bool { round == nil && now >= nextAsk }

    /// The question to all of `others` and to this node; nil, and again later, while there is nobody else. `to` is to be set.
    ///
    /// - Parameter index: the last of this node's log.
    mutating func ask(
        _ others: [NodeID], at index: LogIndex, alarm: String?, now: MonotonicTime
    ) -> ComparisonRequest? {
        guard let term, isDue(at: now) else { return nil }
        guard !others.isEmpty else {
            nextAsk = now.advanced(by: retryDelay)
            return nil
        }
        lastRound += 1
        var request = ComparisonRequest(
            group: group, from: node, to: node, term: term, round: lastRound, index: index, detail: .digests,
            maxBytes: UInt64(limits.sliceBytes), chunkBytes: Self.chunkBytes, first: range.lower, end: range.upper,
            alarm: Self.cut(alarm ?? ""))
        switch aim {
        case .surveying(let first): request.first = first
        case .searching(let first, _, _, _):
            (request.first, request.detail) = (first, .keys)
            request.maxBytes = UInt64(Self.chunkBytes) * 2
        }
        round = Round(
            request: request, missing: Set(others + [node]), deadline: now.advanced(by: limits.patience),
            nextLook: now.advanced(by: Self.lookInterval))
        return request
    }

    // MARK: Answers

    /// - Parameter lastKeys: of the chunks, if the report is this node's own.
    mutating func take(_ report: ComparisonReport, lastKeys: [Bytes] = []) {
        guard report.term == term, report.round == round?.request.round,
            round?.missing.remove(report.from) != nil
        else { return }
        round?.reports[report.from] = report
        if report.from == node { round?.lastKeys = lastKeys }
    }

    func isLookDue(at now: MonotonicTime) -> Bool { round.map { now >= $0.nextLook } ?? false }

    /// Answers are waited for of these others only.
    mutating func keepOnly(_ active: [NodeID], at now: MonotonicTime) {
        round?.missing.formIntersection(active + [node])
        round?.nextLook = now.advanced(by: Self.lookInterval)
    }

    /// Draws the conclusion once all have answered or time is up.
    ///
    /// - Parameter voters: of whom a majority is right.
    mutating func conclude(voters: [NodeID], at now: MonotonicTime) -> Event? {
        guard let round, round.missing.isEmpty || now >= round.deadline else { return nil }
        self.round = nil
        nextAsk = now
        guard let own = round.reports[node], own.content != .missed else {
            nextAsk = now.advanced(by: retryDelay)
            return nil
        }
        // An entry of another term at that index is another history, which the log will settle.
        let reports = round.reports.filter { $0.value.content != .missed && $0.value.appliedTerm == own.appliedTerm }
        guard reports.count > 1 else {
            nextAsk = now.advanced(by: retryDelay)
            return nil
        }
        switch aim {
        case .surveying: return concludeSurvey(round, reports, voters, now)
        case .searching(_, let last, let sighting, let rounds):
            return concludeSearch(round, reports, voters, last, sighting, rounds, now)
        }
    }

    private mutating func concludeSurvey(
        _ round: Round, _ reports: [NodeID: ComparisonReport], _ voters: [NodeID], _ now: MonotonicTime
    ) -> Event? {
        let digests = reports.mapValues(\.digests)
        let count = digests.values.map(\.count).max() ?? 0
        for place in 0..<count {
            let said = digests.mapValues { $0.count > place ? $0[place] : nil }
            guard Set(said.values).count > 1 else { continue }
            let first = place == 0 ? round.request.first : ComparisonSample.successor(round.lastKeys[place - 1])
            aim = .searching(
                from: first, last: round.lastKeys.count > place ? round.lastKeys[place] : nil,
                sighting: Difference(
                    index: round.request.index, astray: Self.astray(said, voters), compared: reports.keys.sorted()),
                rounds: 0)
            return nil
        }
        // Where one is at its end and another is not, the next round will see it.
        if let next = reports.values.lazy.compactMap(\.next).first {
            aim = .surveying(from: next)
            return nil
        }
        endPass(now)
        return .passed
    }

    private mutating func concludeSearch(
        _ round: Round, _ reports: [NodeID: ComparisonReport], _ voters: [NodeID], _ last: Bytes?,
        _ sighting: Difference, _ rounds: Int, _ now: MonotonicTime
    ) -> Event? {
        let keys = reports.mapValues(\.keys)
        var place = 0
        var compared: Bytes?
        while true {
            let said = keys.mapValues { $0.count > place ? $0[place] : nil }
            guard let least = said.values.lazy.compactMap({ $0?.key }).min() else { break }
            // Whose list ends because it is long enough has said nothing of what follows.
            if said.contains(where: { $0.value == nil && reports[$0.key]?.next != nil }) { break }
            if Set(said.values).count > 1 {
                let held = said.mapValues { $0?.key == least ? $0 : nil }
                endPass(now)
                return .differ(
                    Difference(
                        index: round.request.index, key: least, astray: Self.astray(held, voters),
                        compared: reports.keys.sorted()))
            }
            compared = least
            place += 1
        }
        // The chunk is through, and all is equal by now: it was written anew meanwhile.
        let isThrough =
            reports.values.allSatisfy { $0.next == nil } || (last.map { $0 <= (compared ?? Bytes()) } ?? false)
        guard !isThrough, rounds + 1 < Self.maxSearchRounds, let compared else {
            endPass(now)
            return .differ(sighting)
        }
        aim = .searching(
            from: ComparisonSample.successor(compared), last: last, sighting: sighting, rounds: rounds + 1)
        return nil
    }

    private mutating func endPass(_ now: MonotonicTime) {
        aim = .surveying(from: range.lower)
        nextAsk = now.advanced(by: limits.interval)
    }

    /// Who says something else than a majority of the voters.
    private static func astray<Word: Hashable>(_ said: [NodeID: Word], _ voters: [NodeID]) -> [NodeID] {
        let groups = Dictionary(grouping: said.keys) { said[$0]! }
        let right = groups.first { _, nodes in nodes.count(where: voters.contains) > voters.count / 2 }
        guard let right else { return [] }
        return said.keys.filter { !right.value.contains($0) }.sorted()
    }

    /// At most as much as a request may carry, and whole characters.
    private static func cut(_ sentence: String) -> String {
        String(decoding: sentence.utf8.prefix(ComparisonRequest.maxAlarmBytes - 4), as: UTF8.self)
    }
}

extension ComparisonReport {
    fileprivate var digests: [Digest] { if case .digests(let digests) = content { digests } else { [] } }
    fileprivate var keys: [Key] { if case .keys(let keys) = content { keys } else { [] } }
}
