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
            case .membershipChangeProposed: trace.note(.changeConf, subject)
            case .snapshotReceived: trace.note(.receiveSnapshot, subject)
            default: break
            }
        }
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
        case .persist(let batch): if view.role == .leader, !batch.entries.isEmpty { trace.note(.replicate, subject) }
        case .membershipChanged: trace.note(.applyConfChange, subject)
        case .sendSnapshot(let follower): trace.note(.sendSnapshot, subject, properties: "{\"to\":\"\(follower)\"}")
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
