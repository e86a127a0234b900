import Raft

/// Which of the messages under way a line is about: `from=1 to=2,3 kind=append entries=0`.
struct MessageFilter {
    private var conditions: [(key: String, values: [String])] = []

    /// Takes all options off the line.
    init(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        for (key, value) in line.allOptions() {
            guard Self.keys.contains(key) else {
                throw line.failure("one of \(Self.keys.joined(separator: ", "))", found: "\"\(key)=\"")
            }
            let values = value.split(separator: ",").map(String.init)
            if key == "kind", let stranger = values.first(where: { !Message.Body.kinds.contains($0) }) {
                throw line.failure("one of \(Message.Body.kinds.joined(separator: ", "))", found: "\"\(stranger)\"")
            }
            conditions.append((key, values))
        }
    }

    func fits(_ message: Message) -> Bool {
        conditions.allSatisfy { key, values in message.property(key).map(values.contains) ?? false }
    }

    static let keys = [
        "from", "to", "kind", "term", "previous", "entries", "commit", "matched", "hint", "granted", "transfer", "last",
        "round", "index",
    ]
}

extension Message {
    /// One line that says all that a filter can ask for.
    var summary: String {
        let rest = MessageFilter.keys.dropFirst(3).compactMap { key in property(key).map { "\(key)=\($0)" } }
        return "\(from)->\(to) \(body.kind) \(rest.joined(separator: " "))"
    }

    /// - Returns: `nil` when this kind of message has no such property.
    func property(_ key: String) -> String? {
        switch key {
        case "from": "\(from)"
        case "to": "\(to)"
        case "kind": body.kind
        case "term": "\(term)"
        default: body.property(key)
        }
    }
}

extension Message.Body {
    static let kinds = [
        "pre-vote", "pre-vote-answer", "vote", "vote-answer", "append", "accepted", "rejected", "heartbeat",
        "heartbeat-answer", "read", "read-answer", "timeout-now", "commit-notice",
    ]

    var kind: String {
        switch self {
        case .preVoteRequest: "pre-vote"
        case .preVoteResponse: "pre-vote-answer"
        case .voteRequest: "vote"
        case .voteResponse: "vote-answer"
        case .appendRequest: "append"
        case .appendAccepted: "accepted"
        case .appendRejected: "rejected"
        case .heartbeat: "heartbeat"
        case .heartbeatResponse: "heartbeat-answer"
        case .readIndexRequest: "read"
        case .readIndexResponse: "read-answer"
        case .timeoutNow: "timeout-now"
        case .commitNotice: "commit-notice"
        }
    }

    fileprivate func property(_ key: String) -> String? {
        switch (self, key) {
        case (.preVoteRequest(let last), "last"), (.voteRequest(let last, _), "last"),
            (.commitNotice(let last), "last"):
            "\(last)"
        case (.voteRequest(_, let isTransfer), "transfer"): isTransfer ? "yes" : "no"
        case (.preVoteResponse(let granted), "granted"), (.voteResponse(let granted), "granted"):
            granted ? "yes" : "no"
        case (.appendRequest(let previous, _, _), "previous"): "\(previous)"
        case (.appendRequest(_, let entries, _), "entries"): "\(entries.count)"
        case (.appendRequest(_, _, let commit), "commit"), (.heartbeat(let commit, _, _), "commit"): "\(commit)"
        case (.appendAccepted(let matched), "matched"): "\(matched)"
        case (.appendRejected(let previous, _), "previous"): "\(previous)"
        case (.appendRejected(_, let hint), "hint"): "\(hint)"
        case (.heartbeat(_, let round, _), "round"), (.heartbeatResponse(let round), "round"): "\(round)"
        case (.readIndexResponse(_, let index), "index"): index.map { "\($0)" } ?? "none"
        default: nil
        }
    }
}
