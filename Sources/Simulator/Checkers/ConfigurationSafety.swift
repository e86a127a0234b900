import Raft

/// I13: a leader has one change of the membership under way at most, every node takes the same change at the same index,
/// and two configurations that follow each other share a member of every two majorities (Raft paper, section 6).
struct ConfigurationSafety {
    private var memberships: [LogIndex: Membership] = [:]
    /// Their indexes, ascending.
    private var changed: [LogIndex] = []

    /// What held once `index` was applied; `nil`: no change is known.
    func membership(at index: LogIndex) -> Membership? {
        guard let last = changed.last(where: { $0 <= index }) else { return nil }
        return memberships[last]
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

    /// A node's state machine has taken the change at `index`.
    mutating func applied(
        _ index: LogIndex, from old: Membership, to new: Membership, on node: NodeID
    ) throws(Violation) {
        if let known = memberships[index], known != new {
            throw Violation(.configurationSafety, "node \(node) comes to \(new) at \(index), others came to \(known)")
        }
        if memberships.updateValue(new, forKey: index) == nil {
            changed.insert(index, at: changed.firstIndex { $0 > index } ?? changed.count)
        }
        guard Self.everyMajorityMeets(old, new) else {
            throw Violation(.configurationSafety, "at \(index), majorities of \(old) and \(new) need not meet")
        }
    }

    /// Tries all pairs of sets of nodes that decide in one and in the other.
    static func everyMajorityMeets(_ old: Membership, _ new: Membership) -> Bool {
        let nodes = Membership(voters: old.voters + old.outgoing + new.voters + new.outgoing).voters
        let sets = 0..<(1 << nodes.count)
        let deciding = sets.filter { decides($0, nodes, old) }
        return deciding.allSatisfy { a in
            // The complement of a set that decides in one must not decide in the other.
            !decides(~a & ((1 << nodes.count) - 1), nodes, new)
        }
    }

    private static func decides(_ set: Int, _ nodes: [NodeID], _ membership: Membership) -> Bool {
        func hasMajority(of voters: [NodeID]) -> Bool {
            let present = voters.count { voter in nodes.firstIndex(of: voter).map { set & (1 << $0) != 0 } ?? false }
            return present * 2 > voters.count
        }
        return hasMajority(of: membership.voters) && (!membership.isJoint || hasMajority(of: membership.outgoing))
    }
}
