import Raft

/// Writes a run as NDJSON in the vocabulary of the trace specification that etcd publishes beside its Raft (`tla/`): one
/// line for each thing that a node does, in one causal order for all nodes.
///
/// That specification has no PreVote: trace without it. A core gives its effects out after a step, so a line shows the
/// node's state as of the end of that step; what was received stands before what it led to.
///
/// There, a group begins in term 1 with one committed configuration entry for each founder. Here, founders stand in no
/// log: so every term is written as one more, and every index as so many more as there are founders.
struct TraceWriter {
    private let write: (String) -> Void
    private let origin: TraceOrigin

    init(founders: Int, _ write: @escaping (String) -> Void) {
        self.write = write
        origin = TraceOrigin(founders: UInt64(founders))
    }

    enum Name: String {
        case initState = "InitState"
        case becomeCandidate = "BecomeCandidate"
        case becomeFollower = "BecomeFollower"
        case becomeLeader = "BecomeLeader"
        case commit = "Commit"
        case replicate = "Replicate"
        case changeConf = "ChangeConf"
        case applyConfChange = "ApplyConfChange"
        case ready = "Ready"
        case sendAppendEntriesRequest = "SendAppendEntriesRequest"
        case receiveAppendEntriesRequest = "ReceiveAppendEntriesRequest"
        case sendAppendEntriesResponse = "SendAppendEntriesResponse"
        case receiveAppendEntriesResponse = "ReceiveAppendEntriesResponse"
        case sendRequestVoteRequest = "SendRequestVoteRequest"
        case receiveRequestVoteRequest = "ReceiveRequestVoteRequest"
        case sendRequestVoteResponse = "SendRequestVoteResponse"
        case receiveRequestVoteResponse = "ReceiveRequestVoteResponse"
        case sendSnapshot = "SendSnapshot"
        case receiveSnapshot = "ReceiveSnapshot"
    }

    /// The state of the node that a line is about.
    struct Subject {
        var node: NodeID
        var term: Term
        var vote: NodeID?
        var commit: LogIndex
        var role: RoleKind
        var last: LogIndex
        var membership: Membership
    }

    func note(_ name: Name, _ subject: Subject, message: Message? = nil, properties: String? = nil) {
        var line = "{\"tag\":\"trace\",\"event\":{\"name\":\"\(name.rawValue)\",\"nid\":\"\(subject.node)\""
        let vote = subject.vote.map { "\($0)" } ?? "0"
        let (term, commit) = (origin.term(subject.term), origin.index(subject.commit))
        line += ",\"state\":{\"term\":\(term),\"vote\":\"\(vote)\",\"commit\":\(commit)}"
        line += ",\"role\":\"\(Self.name(of: subject.role))\",\"log\":\(origin.index(subject.last))"
        line += ",\"conf\":[\(Self.list(subject.membership.voters)),\(Self.list(subject.membership.outgoing))]"
        if let message { line += ",\"msg\":\(object(message))" }
        if let properties { line += ",\"prop\":\(properties)" }
        write(line + "}}")
    }

    // MARK: Messages

    func sent(_ message: Message, _ subject: Subject) {
        if let name = Self.name(message, isSent: true) { note(name, subject, message: message) }
    }

    func received(_ message: Message, _ subject: Subject) {
        if let name = Self.name(message, isSent: false) { note(name, subject, message: message) }
    }

    /// Heartbeats are appends without entries. What the specification does not know is left out.
    private static func name(_ message: Message, isSent: Bool) -> Name? {
        switch message.body {
        case .appendRequest, .heartbeat: isSent ? .sendAppendEntriesRequest : .receiveAppendEntriesRequest
        case .appendAccepted, .appendRejected, .heartbeatResponse:
            isSent ? .sendAppendEntriesResponse : .receiveAppendEntriesResponse
        case .voteRequest: isSent ? .sendRequestVoteRequest : .receiveRequestVoteRequest
        case .voteResponse: isSent ? .sendRequestVoteResponse : .receiveRequestVoteResponse
        case .preVoteRequest, .preVoteResponse, .readIndexRequest, .readIndexResponse, .timeoutNow, .commitNotice: nil
        }
    }

    private func object(_ message: Message) -> String {
        let body = MessageFields(message.body, origin)
        return """
            {"type":"\(body.type)","term":\(origin.term(message.term)),"from":"\(message.from)","to":"\(message.to)",\
            "entries":\(body.entries),"logTerm":\(body.logTerm),"index":\(body.index),"commit":\(body.commit),\
            "reject":\(body.isRejected),"rejectHint":\(body.rejectHint)}
            """
    }

    private static func list(_ nodes: [NodeID]) -> String {
        "[" + nodes.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    }

    private static func name(of role: RoleKind) -> String {
        switch role {
        case .follower: "StateFollower"
        case .preCandidate: "StatePreCandidate"
        case .candidate: "StateCandidate"
        case .leader: "StateLeader"
        }
    }
}

/// Where the counting of terms and indexes begins in a trace.
private struct TraceOrigin {
    let founders: UInt64

    func term(_ term: Term) -> UInt64 { term.rawValue + 1 }
    func index(_ index: LogIndex) -> UInt64 { index.rawValue + founders }
}

/// A message's body in etcd's fields; 0 for what a kind does not have.
private struct MessageFields {
    var type: String
    var entries = 0
    var logTerm: UInt64 = 0
    var index: UInt64 = 0
    var commit: UInt64 = 0
    var isRejected = false
    var rejectHint: UInt64 = 0

    init(_ body: Message.Body, _ origin: TraceOrigin) {
        switch body {
        case .preVoteRequest(let last):
            type = "MsgPreVote"
            (logTerm, index) = (origin.term(last.term), origin.index(last.index))
        case .preVoteResponse(let granted):
            type = "MsgPreVoteResp"
            isRejected = !granted
        case .voteRequest(let last, _):
            type = "MsgVote"
            (logTerm, index) = (origin.term(last.term), origin.index(last.index))
        case .voteResponse(let granted):
            type = "MsgVoteResp"
            isRejected = !granted
        case .appendRequest(let previous, let content, let known):
            type = "MsgApp"
            (logTerm, index) = (origin.term(previous.term), origin.index(previous.index))
            entries = content.count
            commit = origin.index(known)
        case .appendAccepted(let matched):
            type = "MsgAppResp"
            index = origin.index(matched)
        case .appendRejected(let previous, let hint):
            type = "MsgAppResp"
            index = origin.index(previous)
            isRejected = true
            (logTerm, rejectHint) = (origin.term(hint.term), origin.index(hint.index))
        case .heartbeat(let known, _, _):
            type = "MsgHeartbeat"
            // Of a follower of which nothing is known yet, etcd's leader knows nothing either.
            commit = known == .zero ? 0 : origin.index(known)
        case .heartbeatResponse: type = "MsgHeartbeatResp"
        case .readIndexRequest: type = "MsgReadIndex"
        case .readIndexResponse: type = "MsgReadIndexResp"
        case .timeoutNow: type = "MsgTimeoutNow"
        case .commitNotice(let id):
            type = "MsgCommitNotice"
            (logTerm, index) = (origin.term(id.term), origin.index(id.index))
        }
    }
}
