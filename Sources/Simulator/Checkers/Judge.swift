import ByteCoding
import KeyValue
import Raft

/// Watches everything that happens and holds it against the invariants. It keeps books of its own and asks the code under
/// test for nothing but what it shows.
///
/// The first violation counts; the world stops at it.
final class Judge {
    private(set) var violation: Violation?
    private(set) var ledgers: [NodeLedger] = []
    let group: GroupID
    private let options: SwarmOptions
    private var random: RandomStream

    private var elections = ElectionSafety()
    private var logMatching = LogMatching()
    private var commits = CommitSafety()
    private var configurations = ConfigurationSafety()
    private var reads = ReadFreshness()
    private var replicas: ReplicaEquality
    private var requests = ExactlyOnce()
    private var outcomes = ProposalOutcomes()
    private(set) var histories = HistoryCheck()
    private var largestProposal = 0

    init(group: GroupID, options: SwarmOptions, random: RandomStream) {
        self.group = group
        self.options = options
        self.random = random
        replicas = ReplicaEquality(group: group)
    }

    var committed: CommittedLog { commits.committed }
    /// Whether a change of the membership stands in a log after what its node has applied.
    var hasOpenMembershipChange: Bool {
        ledgers.contains { ledger in
            var index = max(ledger.applied, ledger.given.base.index).next
            while index <= ledger.given.lastIndex {
                if ledger.given[index]?.kind == .membership { return true }
                index = index.next
            }
            return false
        }
    }

    /// The configuration of the node that has applied most.
    var latestMembership: Membership {
        ledgers.max { $0.applied < $1.applied }?.membership ?? Membership(voters: [])
    }

    /// Those that somebody may still act by, in order; none before the first change.
    var currentMemberships: [Membership] { configurations.current }

    var statesCompared: Int { replicas.compared }

    func report(_ violation: Violation) { if self.violation == nil { self.violation = violation } }

    private func judge(_ body: () throws(Violation) -> Void) {
        guard violation == nil else { return }
        do throws(Violation) { try body() } catch { violation = error }
    }

    // MARK: Lives

    func added(_ id: NodeID, membership: Membership) {
        ledgers.append(NodeLedger(id: id, membership: membership))
    }

    /// Its disk is another one, and empty.
    func wiped(_ place: Int, membership: Membership) {
        ledgers[place] = NodeLedger(after: ledgers[place], membership: membership)
    }

    func started(_ place: Int, _ restored: RestoredState) {
        judge { () throws(Violation) in
            if let meta = ledgers[place].installing, restored.truncated == meta.id { installed(meta, on: place) }
            ledgers[place].installing = nil
            try Monotonicity.checkRestart(ledgers[place], restored)
            let log = try shadow(of: restored, on: ledgers[place].id)
            ledgers[place].given = log
            ledgers[place].durable = log
            ledgers[place].durableHardState = restored.hardState
            ledgers[place].pending = []
            ledgers[place].pendingCut = nil
            ledgers[place].term = restored.hardState.term
            ledgers[place].commit = restored.commit
            ledgers[place].earlierCommit = restored.commit
            ledgers[place].durableCommit = restored.commit
            ledgers[place].applied = restored.applied
            ledgers[place].leading = nil
            ledgers[place].membership = restored.membership
            ledgers[place].earlierMemberships = []
        }
    }

    /// What a restored node holds: up to its applied index what was committed, then what it shows.
    private func shadow(of restored: RestoredState, on node: NodeID) throws(Violation) -> ShadowLog {
        var stamps: [EntryStamp] = []
        var index = restored.truncated.index.next
        while index <= restored.applied {
            guard let known = commits.committed[index] else {
                throw Violation(
                    .stateMachineSafety, "node \(node) restarts with \(index) applied, which nobody committed")
            }
            stamps.append(known.stamp)
            index = index.next
        }
        for entry in restored.unapplied { stamps.append(EntryStamp(entry)) }
        let log = ShadowLog(base: restored.truncated, stamps: stamps)
        for run in restored.termRuns where log.term(at: run.index) != run.term {
            throw Violation(
                .stateMachineSafety, "node \(node) restarts with \(run.term)/\(run.index), where another was committed")
        }
        return log
    }

    // MARK: Turns

    /// Before a node's inputs are taken.
    func turnBegins(_ place: Int, leading: Term?) { ledgers[place].leading = leading }

    /// The core has been stepped, and gives out `batch` first.
    ///
    /// - Parameter changes: the memberships that it came to in this turn, in order.
    func turned(_ place: Int, _ core: CoreView, _ batch: PersistBatch?, changes: [Membership]) {
        judge { () throws(Violation) in
            let ledger = ledgers[place]
            let leading = core.leading
            if let batch { try give(batch, place, leading, applied: core.applied) }
            ledger.earlierMemberships = changes.isEmpty ? [] : [ledger.membership] + changes
            ledger.membership = core.membership
            try Monotonicity.check(ledger, term: core.term, commit: core.commit, applied: core.applied)
            if core.commit > ledger.commit {
                try commits.advance(
                    ledger, to: core.commit, term: core.term, leading: commitsAsLeader(ledger, core), others: ledgers,
                    earlier: ledger.earlierMemberships)
            }
            ledger.term = core.term
            ledger.earlierCommit = ledger.commit
            ledger.commit = core.commit
            ledger.applied = core.applied
        }
    }

    /// A node that became leader in this very turn may have learned of commits before.
    private func commitsAsLeader(_ ledger: NodeLedger, _ core: CoreView) -> Bool {
        guard let leading = core.leading else { return false }
        return leading == ledger.leading || ledger.given.term(at: core.commit) == leading
    }

    private func give(
        _ batch: PersistBatch, _ place: Int, _ leading: Term?, applied: LogIndex
    ) throws(Violation) {
        try LeaderAppendOnly.check(batch, of: ledgers[place], leading: leading)
        if let from = batch.truncateFrom { ledgers[place].given.removeAll(from: from) }
        for entry in batch.entries {
            guard entry.index == ledgers[place].given.lastIndex.next,
                let previous = ledgers[place].given.term(at: entry.index.previous)
            else {
                throw Violation(
                    .logMatching,
                    "node \(ledgers[place].id) appends \(entry.id) to a log that ends at "
                        + "\(ledgers[place].given.lastIndex)")
            }
            try logMatching.append(entry, after: previous, on: ledgers[place].id)
            ledgers[place].given.append(EntryStamp(entry))
        }
        ledgers[place].pending.append(batch)
        if leading != nil { try configurations.check(batch, of: ledgers[place], applied: applied) }
    }

    func campaigns(_ place: Int, in term: Term) {
        judge { () throws(Violation) in try ConfigurationSafety.checkCandidate(ledgers[place], of: term) }
    }

    func leads(_ place: Int, in term: Term) {
        judge { () throws(Violation) in
            let leader = ledgers[place]
            try elections.leads(leader, in: term, by: leader.membershipsOfTurn)
            try LeaderCompleteness.check(leader, of: term, committed: commits.committed)
            try ConfigurationSafety.checkLeader(leader, of: term, committed: commits.committed)
        }
    }

    func sends(_ message: Message, from place: Int) {
        judge { () throws(Violation) in
            try DurablePromises.check(message, from: ledgers[place], leader: leader(of: message))
            if case .voteResponse(granted: true) = message.body {
                try elections.votes(ledgers[place], for: message.to, in: message.term)
            }
        }
    }

    private func leader(of message: Message) -> NodeLedger? {
        guard case .appendAccepted = message.body, elections.leader(of: message.term) == message.to else { return nil }
        return ledgers.first { $0.id == message.to && $0.leading == message.term }
    }

    func proposes(_ bytes: Int) { largestProposal = max(largestProposal, bytes) }

    func bounds(_ footprint: Boundedness.Footprint) {
        judge { () throws(Violation) in
            try Boundedness.check(footprint, limits: options.core, largest: largestProposal)
        }
    }

    /// A leader whose disk hangs goes on.
    func stalls(_ place: Int, for duration: Duration, limit: Duration) {
        judge { () throws(Violation) in try Boundedness.checkStall(ledgers[place].id, duration, limit: limit) }
    }

    /// What a leader counts as held by its followers.
    func counts(_ matches: [(node: NodeID, index: LogIndex)], on place: Int, in term: Term) {
        judge { () throws(Violation) in
            for (node, index) in matches {
                guard let follower = ledgers.first(where: { $0.id == node }) else { continue }
                try CommitSafety.checkMatch(index, of: follower, by: ledgers[place], in: term)
            }
        }
    }

    /// A leader sent heartbeats in the turn that follows `old`.
    func retains(_ place: Int, _ core: CoreView, after old: CoreView) {
        judge { () throws(Violation) in
            try Boundedness.checkRetention(
                ledgers[place].id, truncatable: core.truncatable, commit: old.commit, last: old.last,
                maxRetainedEntries: options.core.maxRetainedEntries)
        }
    }

    // MARK: Disks

    /// The oldest `count` batches under way are on the disk.
    ///
    /// - Parameter isSynced: whether that took a write, which makes durable what was written before it, too.
    func durable(_ place: Int, batches count: Int, isSynced: Bool) {
        for batch in ledgers[place].pending.prefix(count) {
            ledgers[place].durable.take(batch)
            if let state = batch.hardState { ledgers[place].durableHardState = state }
            ledgers[place].durableCommit = max(ledgers[place].durableCommit, batch.commit)
        }
        ledgers[place].pending.removeFirst(count)
        if isSynced, let cut = ledgers[place].pendingCut {
            ledgers[place].durable.compact(through: cut)
            ledgers[place].pendingCut = nil
        }
    }

    /// The log was cut, durably with the next synced write.
    func cut(_ place: Int, through id: EntryID) {
        ledgers[place].given.compact(through: id)
        ledgers[place].pendingCut = id
    }

    func flushed(_ place: Int, through index: LogIndex) {
        ledgers[place].flushed = max(ledgers[place].flushed, index)
    }

    /// Whether entries ever reached the node's present disk.
    func hasStoredEntries(_ place: Int) -> Bool { ledgers[place].durable.lastIndex > .zero }

    // MARK: State machines

    func applies(_ entries: [Entry], on place: Int) {
        judge { () throws(Violation) in
            for entry in entries {
                try Integrity.check(entry, of: group, on: ledgers[place].id, committed: commits.committed)
                try replicas.apply(entry)
            }
        }
    }

    /// Now and then, or always if `surely`.
    func compareState(_ tree: OrderedTree, at index: LogIndex, on place: Int, surely: Bool = false) {
        guard surely || random.chance(200) else { return }
        judge { () throws(Violation) in
            try replicas.compare(tree, at: index, of: ledgers[place].id, .replicaEquality)
        }
    }

    /// A leader is about to send a snapshot.
    func offers(_ meta: SnapshotMeta, on place: Int) {
        judge { () throws(Violation) in
            try checkSnapshot(meta, on: place)
            try SnapshotFidelity.checkOffer(meta, by: ledgers[place])
        }
    }

    /// A snapshot was made or installed.
    func compareSnapshot(_ tree: OrderedTree, _ meta: SnapshotMeta, on place: Int) {
        judge { () throws(Violation) in
            try checkSnapshot(meta, on: place)
            try replicas.compare(tree, at: meta.index, of: ledgers[place].id, .snapshotFidelity)
        }
    }

    private func checkSnapshot(_ meta: SnapshotMeta, on place: Int) throws(Violation) {
        try SnapshotFidelity.check(
            meta, on: ledgers[place], committed: commits.committed,
            membership: configurations.membership(at: meta.index))
    }

    /// From now on a crash may leave the state before or after.
    func installing(_ meta: SnapshotMeta, on place: Int) { ledgers[place].installing = meta }

    func installed(_ meta: SnapshotMeta, on place: Int) {
        ledgers[place].installing = nil
        judge { () throws(Violation) in
            guard meta.index > ledgers[place].applied else {
                throw Violation(
                    .monotonicity,
                    "node \(ledgers[place].id) goes back from \(ledgers[place].applied) to a snapshot at \(meta.id)")
            }
            ledgers[place].given.reset(to: meta.id)
            ledgers[place].durable.reset(to: meta.id)
            ledgers[place].durableCommit = meta.index
            ledgers[place].flushed = meta.index
            ledgers[place].pendingCut = nil
        }
    }

    func membershipApplied(_ index: LogIndex, from old: Membership, to new: Membership, on place: Int) {
        judge { () throws(Violation) in
            try configurations.applied(index, from: old, to: new, on: ledgers[place].id)
        }
    }

    /// A leader says that who was removed up to `index` may go.
    func settled(through index: LogIndex, on place: Int) {
        judge { () throws(Violation) in
            try configurations.settled(through: index, on: ledgers[place].id, ledgers)
        }
    }

    // MARK: Clients

    func accepted(_ token: ProposalToken, of incarnation: UInt64, as id: EntryID) {
        outcomes.accepted(token, of: incarnation, as: id)
    }

    func resolved(_ token: ProposalToken, of incarnation: UInt64, _ outcome: ProposalOutcome) {
        judge { () throws(Violation) in
            try outcomes.resolved(token, of: incarnation, outcome, committed: commits.committed)
        }
    }

    func ended(_ history: ClientHistory, at end: WorldTime) {
        judge { () throws(Violation) in
            try histories.check(history, title: "seed \(options.seed)", until: end)
        }
    }

    func readAsked(_ token: ReadToken) { reads.asked(token, committed: commits.committed.lastIndex) }

    func readAnswered(_ token: ReadToken, index: LogIndex?, on place: Int) {
        judge { () throws(Violation) in try reads.answered(token, index: index, on: ledgers[place].id) }
    }

    /// A client was told of an entry at or behind `index`.
    func acknowledged(_ index: LogIndex) { reads.acknowledged(index) }

    func readLocally(at applied: LogIndex, on place: Int) {
        judge { () throws(Violation) in try reads.answeredLocally(at: applied, on: ledgers[place].id) }
    }

    func answered(_ once: SessionRequest, _ outcome: Outcome) {
        judge { () throws(Violation) in try requests.answered(once.session, once.sequence, outcome) }
    }

    func readFound(_ value: Bytes, of key: Bytes) {
        judge { () throws(Violation) in try ExactlyOnce.check(value, of: key) }
    }
}
