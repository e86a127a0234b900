import Raft

/// I7: no message leaves before what it promises is on the sender's disk (Raft paper, figure 2, "updated on stable storage
/// before responding to RPCs").
enum DurablePromises {
    static func check(_ message: Message, from node: NodeLedger, leader: NodeLedger?) throws(Violation) {
        switch message.body {
        case .voteResponse(granted: true): try checkVote(message, node, for: message.to)
        case .voteRequest: try checkVote(message, node, for: message.from)
        case .appendAccepted(let matched): try checkAcknowledgement(message, matched, node, leader)
        case .preVoteRequest, .preVoteResponse, .voteResponse(granted: false), .appendRequest, .appendRejected,
            .heartbeat, .heartbeatResponse, .readIndexRequest, .readIndexResponse, .timeoutNow,
            .commitNotice:
            break
        }
    }

    private static func checkVote(
        _ message: Message, _ node: NodeLedger, for candidate: NodeID
    ) throws(Violation) {
        let durable = node.durableHardState
        guard durable.term == message.term, durable.vote == candidate else {
            throw Violation(
                .durablePromises,
                """
                node \(node.id) says that it votes for \(candidate) in term \(message.term), but its disk says \
                term \(durable.term), vote \(durable.vote.map { "\($0)" } ?? "none")
                """)
        }
    }

    /// - Parameter leader: who leads the message's term, if it still does.
    private static func checkAcknowledgement(
        _ message: Message, _ matched: LogIndex, _ node: NodeLedger, _ leader: NodeLedger?
    ) throws(Violation) {
        guard node.durableHardState.term >= message.term, node.durable.lastIndex >= matched else {
            throw Violation(
                .durablePromises,
                """
                node \(node.id) acknowledges \(matched) in term \(message.term), but its disk has term \
                \(node.durableHardState.term) and a log to \(node.durable.lastIndex)
                """)
        }
        guard let leader, let term = leader.given.term(at: matched), matched > node.durable.base.index else { return }
        guard node.durable.term(at: matched) == term else {
            throw Violation(
                .durablePromises,
                """
                node \(node.id) acknowledges \(matched) to leader \(leader.id), whose entry there has term \(term); \
                its own disk holds term \(node.durable.term(at: matched)?.description ?? "none")
                """)
        }
    }
}
