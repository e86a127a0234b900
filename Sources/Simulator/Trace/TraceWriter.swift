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

    func note(_ name: Name, _ subject: Subject, message: String? = nil, properties: String? = nil) {
        var line = "{\"tag\":\"trace\",\"event\":{\"name\":\"\(name.rawValue)\",\"nid\":\"\(subject.node)\""
        let vote = subject.vote.map { "\($0)" } ?? "0"
        let (term, commit) = (origin.term(subject.term), origin.index(subject.commit))
        line += ",\"state\":{\"term\":\(term),\"vote\":\"\(vote)\",\"commit\":\(commit)}"
        line += ",\"role\":\"\(Self.name(of: subject.role))\",\"log\":\(origin.index(subject.last))"
        line += ",\"conf\":[\(Self.list(subject.membership.voters)),\(Self.list(subject.membership.outgoing))]"
        if let message { line += ",\"msg\":\(message)" }
        if let properties { line += ",\"prop\":\(properties)" }
        write(line + "}}")
    }

    // MARK: Messages

    /// What the specification does not know is left out: PreVote, reads, `timeoutNow`, and commit notices, which only go
    /// where the membership has changed.
    func sent(_ message: Message, _ subject: Subject) {
        guard let fields = MessageFields(message.body, origin) else { return }
        note(fields.kind.sent, subject, message: object(message.term, message.from, message.to, fields))
    }

    func received(_ message: Message, _ subject: Subject) {
        guard let fields = MessageFields(message.body, origin) else { return }
        note(fields.kind.received, subject, message: object(message.term, message.from, message.to, fields))
    }

    /// Snapshots travel outside of the messages here; there, they are appends that count as so many entries as they cover.
    func sentSnapshot(_ meta: SnapshotMeta, in term: Term, to receiver: NodeID, _ subject: Subject) {
        let fields = MessageFields(snapshot: meta, origin)
        note(fields.kind.sent, subject, message: object(term, subject.node, receiver, fields))
    }

    func receivedSnapshot(_ meta: SnapshotMeta, in term: Term, from sender: NodeID, _ subject: Subject) {
        let fields = MessageFields(snapshot: meta, origin)
        note(fields.kind.received, subject, message: object(term, sender, subject.node, fields))
    }

    private func object(_ term: Term, _ from: NodeID, _ to: NodeID, _ fields: MessageFields) -> String {
        """
        {"type":"\(fields.type)","term":\(origin.term(term)),"from":"\(from)","to":"\(to)",\
        "entries":\(fields.entries),"logTerm":\(fields.logTerm),"index":\(fields.index),"commit":\(fields.commit),\
        "vote":"0","reject":\(fields.isRejected),"rejectHint":\(fields.rejectHint)}
        """
    }

    // MARK: Entries

    /// Entries that a leader has appended, each by itself. There, too, leaving a joint configuration has no line.
    func appended(_ entries: some Sequence<Entry>, _ subject: Subject) {
        for entry in entries {
            switch entry.kind {
            case .normal, .noop: note(.replicate, subject)
            case .membership:
                guard let change = try? MembershipChange(decoding: entry.payload), !change.steps.isEmpty else {
                    continue
                }
                let steps = change.steps.map { step in
                    "{\"nid\":\"\(step.node)\",\"action\":\"\(Self.action(of: step))\"}"
                }
                let changes = steps.joined(separator: ",")
                note(.changeConf, subject, properties: "{\"cc\":{\"changes\":[\(changes)]}}")
            }
        }
    }

    func applied(_ membership: Membership, _ subject: Subject) {
        let voters = Self.list(membership.voters)
        note(.applyConfChange, subject, properties: "{\"cc\":{\"newconf\":\(voters)}}")
    }

    private static func action(of step: MembershipChange.Step) -> String {
        switch step {
        case .addVoter: "AddNewServer"
        case .addLearner: "AddLearner"
        case .remove: "RemoveServer"
        }
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

/// The kinds of messages, as the specification has them. Heartbeats are appends without entries.
private enum MessageKind {
    case appendRequest, appendResponse, voteRequest, voteResponse

    var sent: TraceWriter.Name {
        switch self {
        case .appendRequest: .sendAppendEntriesRequest
        case .appendResponse: .sendAppendEntriesResponse
        case .voteRequest: .sendRequestVoteRequest
        case .voteResponse: .sendRequestVoteResponse
        }
    }

    var received: TraceWriter.Name {
        switch self {
        case .appendRequest: .receiveAppendEntriesRequest
        case .appendResponse: .receiveAppendEntriesResponse
        case .voteRequest: .receiveRequestVoteRequest
        case .voteResponse: .receiveRequestVoteResponse
        }
    }
}

/// A message's body in etcd's fields; 0 for what a kind does not have.
private struct MessageFields {
    var kind: MessageKind
    var type: String
    var entries: UInt64 = 0
    var logTerm: UInt64 = 0
    var index: UInt64 = 0
    var commit: UInt64 = 0
    var isRejected = false
    var rejectHint: UInt64 = 0

    init(snapshot meta: SnapshotMeta, _ origin: TraceOrigin) {
        (kind, type) = (.appendRequest, "MsgSnap")
        entries = origin.index(meta.index)
    }

    /// `nil`: the specification does not know it.
    init?(_ body: Message.Body, _ origin: TraceOrigin) {
        switch body {
        case .voteRequest(let last, _):
            (kind, type) = (.voteRequest, "MsgVote")
            (logTerm, index) = (origin.term(last.term), origin.index(last.index))
        case .voteResponse(let granted):
            (kind, type) = (.voteResponse, "MsgVoteResp")
            isRejected = !granted
        case .appendRequest(let previous, let content, let known):
            (kind, type) = (.appendRequest, "MsgApp")
            (logTerm, index) = (origin.term(previous.term), origin.index(previous.index))
            entries = UInt64(content.count)
            commit = origin.index(known)
        case .appendAccepted(let matched):
            (kind, type) = (.appendResponse, "MsgAppResp")
            index = origin.index(matched)
        case .appendRejected(let previous, let hint):
            (kind, type) = (.appendResponse, "MsgAppResp")
            index = origin.index(previous)
            isRejected = true
            (logTerm, rejectHint) = (origin.term(hint.term), origin.index(hint.index))
        case .heartbeat(let known, _, _):
            (kind, type) = (.appendRequest, "MsgHeartbeat")
            // Of a follower of which nothing is known yet, etcd's leader knows nothing either.
            commit = known == .zero ? 0 : origin.index(known)
        case .heartbeatResponse: (kind, type) = (.appendResponse, "MsgHeartbeatResp")
        case .preVoteRequest, .preVoteResponse, .readIndexRequest, .readIndexResponse, .timeoutNow, .commitNotice:
            return nil
        }
    }
}
