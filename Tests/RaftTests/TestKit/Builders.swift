import ByteCoding
public import Raft

let group = GroupID(1)

extension NodeID: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self.init(value) }
}
extension Term: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self.init(value) }
}
extension LogIndex: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self.init(value) }
}

func id(_ term: UInt64, _ index: UInt64) -> EntryID { EntryID(term: Term(term), index: LogIndex(index)) }

func entry(_ term: UInt64, _ index: UInt64, _ payload: Bytes = "") -> Entry {
    Entry(group: group, id: id(term, index), kind: .normal, payload: payload)
}

/// Entries at indexes 1, 2, 3... with these terms.
func entries(terms: [UInt64], after previous: UInt64 = 0) -> [Entry] {
    terms.enumerated().map { entry($0.element, previous + UInt64($0.offset) + 1) }
}

extension RestoredState {
    /// A node that stopped with a log of these terms. `term` is the last entry's unless given.
    static func log(
        terms: [UInt64], term: UInt64? = nil, vote: NodeID? = nil, commit: LogIndex = 0, applied: LogIndex = 0,
        voters: [NodeID] = [1, 2, 3], mayVote: Bool = true
    ) -> RestoredState {
        let all = entries(terms: terms)
        return RestoredState(
            hardState: HardState(term: Term(term ?? terms.last ?? 0), vote: vote),
            membership: Membership(voters: voters), termRuns: TestDisk.termRuns(of: all),
            lastIndex: LogIndex(UInt64(all.count)), commit: commit, applied: applied,
            unapplied: Array(all[Int(applied.rawValue)...]), mayVote: mayVote)
    }
}

/// What the sender of a message says, without the envelope.
struct Said: Hashable {
    var to: NodeID
    var term: Term
    var body: Message.Body

    init(_ to: NodeID, _ term: Term, _ body: Message.Body) {
        self.to = to
        self.term = term
        self.body = body
    }

    init(_ message: Message) { self.init(message.to, message.term, message.body) }
}

extension Message {
    var isAppend: Bool { if case .appendRequest = body { true } else { false } }
    var isHeartbeat: Bool { if case .heartbeat = body { true } else { false } }
    var isVoteRequest: Bool { if case .voteRequest = body { true } else { false } }
    var isPreVoteRequest: Bool { if case .preVoteRequest = body { true } else { false } }
    var isAppendAnswer: Bool {
        switch body {
        case .appendAccepted, .appendRejected: true
        default: false
        }
    }
    var entries: [Entry] { if case .appendRequest(_, let entries, _) = body { entries } else { [] } }
    var previous: EntryID? { if case .appendRequest(let previous, _, _) = body { previous } else { nil } }
    var commit: LogIndex? {
        switch body {
        case .appendRequest(_, _, let commit), .heartbeat(let commit, _, _): commit
        default: nil
        }
    }
    var round: UInt64? { if case .heartbeat(_, let round, _) = body { round } else { nil } }
}

/// The algorithm of the paper alone, without PreVote and CheckQuorum.
func plain(_ configuration: inout Configuration) {
    configuration.preVote = false
    configuration.checkQuorum = false
}

func voters(_ count: UInt64) -> [NodeID] { (1...count).map { NodeID($0) } }
