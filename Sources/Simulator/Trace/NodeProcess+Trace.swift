import Raft

/// What a node's lines in a trace are made of. Nothing of it costs anything in runs without a trace.
extension NodeProcess {
    private var subject: TraceWriter.Subject {
        TraceWriter.Subject(
            node: node.id, term: view.term, vote: core.status.vote, commit: view.commit, role: view.role,
            last: view.last, membership: view.membership)
    }

    func traceStart() { world.trace?.note(.initState, subject) }

    func note(_ inputs: [Input]) {
        guard let trace = world.trace else { return }
        for input in inputs {
            switch input {
            case .received(let message): trace.received(message, subject)
            case .snapshotReceived(let meta, let sender, let term):
                trace.receivedSnapshot(meta, in: term, from: sender, subject)
            default: break
            }
        }
    }

    func noteSnapshot(_ meta: SnapshotMeta, in term: Term, to receiver: NodeID) {
        world.trace?.sentSnapshot(meta, in: term, to: receiver, subject)
    }

    /// - Parameter old: the view before the turn.
    func note(_ effects: [Effect], after old: CoreView) {
        guard let trace = world.trace else { return }
        for effect in effects { note(effect, trace) }
        if view.commit > old.commit { trace.note(.commit, subject) }
        if case .persist? = effects.first { trace.note(.ready, subject) }
    }

    private func note(_ effect: Effect, _ trace: TraceWriter) {
        switch effect {
        case .roleChanged(let change): trace.note(Self.name(of: change.role), subject)
        case .send(let message): trace.sent(message, subject)
        case .persist(let batch):
            // What a leader of this term wrote as a follower, in the same turn, is of earlier terms.
            let own = batch.entries.filter { $0.term == view.leading }
            trace.appended(own, subject)
        case .membershipChanged(let membership): trace.applied(membership, subject)
        default: break
        }
    }

    private static func name(of role: RoleKind) -> TraceWriter.Name {
        switch role {
        case .leader: .becomeLeader
        case .candidate, .preCandidate: .becomeCandidate
        case .follower: .becomeFollower
        }
    }
}
