extension Membership {
    /// The membership after `change`: a pure function, so that every node comes to the same.
    ///
    /// Joint configurations: Raft paper, section 6; learners among them as in etcd.
    ///
    /// - Throws: `MembershipChangeError` when there is no voter before or after the change, when it enters a joint
    ///   configuration from a joint one, or leaves none.
    public func applying(_ change: MembershipChange) throws(MembershipChangeError) -> Membership {
        guard !voters.isEmpty else { throw MembershipChangeError("the membership before the change is not known") }
        if change.leavesJoint { return try leavingJoint() }
        guard !isJoint else { throw MembershipChangeError("the change before is not finished: leave it first") }
        if change.transition == .automatic {
            let direct = try taking(change.steps, in: self)
            if Self.differsByAtMostOneVoter(voters, direct.voters) { return direct }
        }
        var joint = self
        joint.outgoing = voters
        joint.leavesAutomatically = change.transition != .jointExplicit
        return try taking(change.steps, in: joint)
    }

    private func leavingJoint() throws(MembershipChangeError) -> Membership {
        guard isJoint else { throw MembershipChangeError("the configuration is not joint, there is nothing to leave") }
        return Membership(voters: voters, learners: learners + learnersNext)
    }

    private func taking(
        _ steps: [MembershipChange.Step], in start: Membership
    ) throws(MembershipChangeError) -> Membership {
        var result = start
        for step in steps {
            guard step.node.rawValue != 0 else { throw MembershipChangeError("node 0 is no node") }
            switch step {
            case .addVoter(let node): result.makeVoter(node)
            case .addLearner(let node): result.makeLearner(node)
            case .remove(let node): result.remove(node)
            }
        }
        guard !result.voters.isEmpty else { throw MembershipChangeError("the change leaves no voter") }
        return result
    }

    private mutating func makeVoter(_ node: NodeID) {
        learners.removeAll { $0 == node }
        learnersNext.removeAll { $0 == node }
        voters.insertSorted(node)
    }

    /// A voter of the old configuration still votes until the joint one is left, so it can't be a learner before.
    private mutating func makeLearner(_ node: NodeID) {
        voters.removeAll { $0 == node }
        if outgoing.contains(node) { learnersNext.insertSorted(node) } else { learners.insertSorted(node) }
    }

    private mutating func remove(_ node: NodeID) {
        voters.removeAll { $0 == node }
        learners.removeAll { $0 == node }
        learnersNext.removeAll { $0 == node }
    }

    private static func differsByAtMostOneVoter(_ old: [NodeID], _ new: [NodeID]) -> Bool {
        old.count(where: { !new.contains($0) }) + new.count(where: { !old.contains($0) }) <= 1
    }
}

extension [NodeID] {
    /// Keeps the array ascending and without repeats.
    fileprivate mutating func insertSorted(_ node: NodeID) {
        let place = firstIndex { $0 >= node } ?? endIndex
        if place == endIndex || self[place] != node { insert(node, at: place) }
    }
}
