import Raft

/// I13: a leader has one change of the membership under way at most, every node takes the same change at the same index,
/// two configurations that follow each other share a member of every two majorities (Raft paper, section 6), and nobody leads
/// by one that was followed by two others.
struct ConfigurationSafety {
    private var memberships: [LogIndex: Membership] = [:]
    /// What held before the first change.
    private var founders: Membership?
    /// Their indexes, ascending.
    private var changed: [LogIndex] = []
    /// Of those that changed who votes, ascending.
    private var decisive: [LogIndex] = []
    /// A leader has said that the changes up to here are settled: those who were removed may go, those who were added count.
    private(set) var settled = LogIndex.zero

    /// What held once `index` was applied; `nil`: no change is known.
    func membership(at index: LogIndex) -> Membership? {
        guard let last = changed.last(where: { $0 <= index }) else { return nil }
        return memberships[last]
    }

    /// Those that somebody may still act by: the settled one, and what came after it. Empty before the first change.
    var current: [Membership] {
        guard let start = changed.lastIndex(where: { $0 <= settled }) else {
            return [founders].compactMap(\.self) + changed.compactMap { memberships[$0] }
        }
        return changed[start...].compactMap { memberships[$0] }
    }

    /// A leader says that the voters are those as of `index`: then every majority of them has one among it that knows from
    /// its disk that the change is committed.
    mutating func settled(
        through index: LogIndex, on leader: NodeID, _ nodes: [NodeLedger]
    ) throws(Violation) {
        settled = max(settled, index)
        guard let change = decisive.last(where: { $0 <= index }), let membership = membership(at: index) else { return }
        let uninformed = nodes.filter { max($0.durableCommit, $0.lostCommit) < change }.map(\.id)
        guard membership.isDecided(by: uninformed) else { return }
        throw Violation(
            .configurationSafety,
            """
            leader \(leader) calls the changes up to \(index) settled, but nodes \(uninformed) have not on disk that \
            \(change) is committed; voters are \(membership.voters), outgoing \(membership.outgoing)
            """)
    }

    /// A leader appends `batch`.
    func check(_ batch: PersistBatch, of leader: NodeLedger, applied: LogIndex) throws(Violation) {
        guard batch.entries.contains(where: { $0.kind == .membership }) else { return }
        var open: [LogIndex] = []
        var index = max(applied, leader.given.base.index).next
        while index <= leader.given.lastIndex {
            if leader.given[index]?.kind == .membership { open.append(index) }
            index = index.next
        }
        if open.count > 1 {
            throw Violation(
                .configurationSafety, "leader \(leader.id) has changes at \(open) and applied only \(applied)")
        }
    }

    /// Who campaigns counts by the latest change that it knows to be committed.
    static func checkCandidate(_ node: NodeLedger, of term: Term) throws(Violation) {
        var index = max(node.applied, node.given.base.index).next
        while index <= node.earlierCommit {
            guard node.given[index]?.kind != .membership else {
                throw Violation(
                    .configurationSafety,
                    "node \(node.id) campaigns in term \(term), knows that change \(index) is committed, and counts without it"
                )
            }
            index = index.next
        }
    }

    /// A new leader may not have applied the latest change that an earlier term committed, but must have applied all before
    /// it: quorums of configurations that don't follow each other need not meet.
    static func checkLeader(_ leader: NodeLedger, of term: Term, committed: CommittedLog) throws(Violation) {
        let missed = committed.entries.dropFirst(Int(leader.applied.rawValue)).count {
            $0.stamp.kind == .membership && $0.committedIn < term
        }
        guard missed > 1 else { return }
        throw Violation(
            .configurationSafety,
            "node \(leader.id) leads term \(term) with \(leader.membership), and has missed \(missed) changes")
    }

    /// A node's state machine has taken the change at `index`.
    mutating func applied(
        _ index: LogIndex, from old: Membership, to new: Membership, on node: NodeID
    ) throws(Violation) {
        if let known = memberships[index] {
            guard known == new else {
                throw Violation(
                    .configurationSafety, "node \(node) comes to \(new) at \(index), others came to \(known)")
            }
            return
        }
        if changed.isEmpty { founders = old }
        memberships[index] = new
        Self.insert(index, into: &changed)
        if old.voters != new.voters || old.outgoing != new.outgoing { Self.insert(index, into: &decisive) }
        guard Self.everyMajorityMeets(old, new) else {
            throw Violation(.configurationSafety, "at \(index), majorities of \(old) and \(new) need not meet")
        }
    }

    private static func insert(_ index: LogIndex, into list: inout [LogIndex]) {
        list.insert(index, at: list.firstIndex { $0 > index } ?? list.count)
    }

    /// Tries all pairs of sets of nodes that decide in one and in the other.
    static func everyMajorityMeets(_ old: Membership, _ new: Membership) -> Bool {
        let nodes = Membership(voters: old.voters + old.outgoing + new.voters + new.outgoing).voters
        let sets = 0..<(1 << nodes.count)
        func members(of set: Int) -> [NodeID] { nodes.indices.filter { set & (1 << $0) != 0 }.map { nodes[$0] } }
        return sets.allSatisfy { set in
            // The complement of a set that decides in one must not decide in the other.
            !old.isDecided(by: members(of: set)) || !new.isDecided(by: members(of: ~set & (sets.count - 1)))
        }
    }
}

extension Membership {
    /// Whether these are a majority of its voters, and of both halves if it has two.
    func isDecided(by nodes: [NodeID]) -> Bool {
        func hasMajority(of voters: [NodeID]) -> Bool { voters.count { nodes.contains($0) } * 2 > voters.count }
        return hasMajority(of: voters) && (!isJoint || hasMajority(of: outgoing))
    }
}
