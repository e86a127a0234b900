import ByteCoding

@testable import Raft

/// What a world remembers of its past, and judges its present by (Raft paper, figure 3).
///
/// A part of the state that is searched: two worlds with different pasts are different, because what is allowed in them
/// may be.
struct History: Hashable {
    /// An entry that some leader committed, and in which term.
    struct Committed: Hashable {
        var entry: Entry
        var term: Term
    }

    struct Leader: Hashable {
        var term: Term
        var node: NodeID
    }

    struct Vote: Hashable {
        var term: Term
        var candidate: NodeID
    }

    struct Read: Hashable {
        var token: ReadToken
        /// What was committed when it was asked for.
        var floor: LogIndex
    }

    /// From index 1.
    private(set) var committed: [Committed]
    /// In the order of their elections.
    private(set) var leaders: [Leader] = []
    /// The latest vote that each node is known to have given.
    private(set) var votes: [Vote?]
    /// Where the proposals were accepted, by token from 1; `nil`: nowhere (yet).
    private(set) var proposals: [EntryID?] = []
    private(set) var reads: [Read] = []
    private(set) var readCount: UInt64 = 0
    /// Whether quorums are judged after the fact: only where nobody joins, leaves or has lost a disk.
    private let staysDurable: Bool
    /// The first thing that was wrong.
    private(set) var failure: String?

    init(_ space: SearchSpace) {
        votes = space.start.map { _ in nil }
        staysDurable = space.changes.isEmpty && !space.startsDamaged
        let longest = space.start.max { $0.lastIndex < $1.lastIndex }!
        let holder = space.start.first { restored in
            restored.lastIndex >= space.committed && restored.truncated.index == .zero
        }
        committed = (holder ?? longest).unapplied.prefix { $0.index <= space.committed }.map {
            Committed(entry: $0, term: $0.term)
        }
        precondition(lastCommitted == space.committed, "no node holds what is said to be committed")
    }

    var lastCommitted: LogIndex { LogIndex(UInt64(committed.count)) }

    mutating func fail(_ what: String) { if failure == nil { failure = what } }

    // MARK: What clients do

    /// A proposal of its own for every question.
    var nextProposal: Proposal {
        mutating get {
            proposals.append(nil)
            return Proposal(token: ProposalToken(UInt64(proposals.count)), payload: Bytes("\(proposals.count)"))
        }
    }

    mutating func openRead(by node: NodeID) -> ReadToken {
        readCount += 1
        let token = ReadToken(incarnation: node.rawValue, count: readCount)
        reads.append(Read(token: token, floor: lastCommitted))
        return token
    }

    // MARK: What nodes do

    /// One vote a term.
    mutating func sent(_ message: Message) {
        guard case .voteResponse(granted: true) = message.body else { return }
        let place = Int(message.from.rawValue) - 1
        if let last = votes[place], last.term == message.term, last.candidate != message.to {
            fail("one vote: node \(message.from) votes for \(last.candidate) and \(message.to) in term \(message.term)")
        }
        if votes[place].map({ $0.term < message.term }) ?? true {
            votes[place] = Vote(term: message.term, candidate: message.to)
        }
    }

    mutating func hear(_ news: ExploredNode.News, from node: World.Place, among places: [World.Place]) {
        switch news {
        case .committed(let index, let role, let membership):
            guard index > lastCommitted else { return }
            commit(through: index, as: role, node)
            judgeDurability(by: membership, among: places)
        case .applied(let entry):
            if entry.index > lastCommitted || committed[Int(entry.index.rawValue) - 1].entry != entry {
                fail("state machine safety: node \(node.id) applies \(entry.id)")
            }
        case .installed(let meta):
            if meta.index > lastCommitted || committed[Int(meta.index.rawValue) - 1].entry.id != meta.id {
                fail("state machine safety: node \(node.id) installs a snapshot through \(meta.id)")
            }
        case .accepted(let token, let id): proposals[Int(token.rawValue) - 1] = id
        case .resolved(let token, let outcome): resolve(token, outcome)
        case .readReady(let token, let index): answer(token, index)
        case .wrong(let what): fail("node \(node.id): \(what)")
        case .sent, .snapshotWanted, .truncated, .membershipChanged: break
        }
    }

    /// Leaders commit, others hear of it.
    private mutating func commit(through index: LogIndex, as role: RoleKind, _ node: World.Place) {
        guard role == .leader else {
            return fail("commit: node \(node.id), no leader, counts \(index) as committed, but nobody committed it")
        }
        let first = max(lastCommitted.next, node.log.firstCachedIndex)
        for entry in node.log.slice(from: first, through: index, maxBytes: .max).entries {
            committed.append(Committed(entry: entry, term: node.term))
        }
    }

    private mutating func resolve(_ token: ProposalToken, _ outcome: ProposalOutcome) {
        guard let id = proposals[Int(token.rawValue) - 1] else {
            return fail("outcome: proposal \(token.rawValue) ends, but was never accepted")
        }
        let isCommitted = id.index <= lastCommitted && committed[Int(id.index.rawValue) - 1].entry.id == id
        switch outcome {
        case .committed(let place):
            if place != id || !isCommitted { fail("outcome: \(id) is said to be committed as \(place)") }
        case .lost:
            if isCommitted { fail("outcome: \(id) is said to be lost, but is committed") }
            if id.index > lastCommitted { fail("outcome: \(id) is said to be lost, but nothing is committed there") }
        case .unknown: break
        }
    }

    private mutating func answer(_ token: ReadToken, _ index: LogIndex) {
        guard let place = reads.firstIndex(where: { $0.token == token }) else {
            return fail("read: \(token) is answered, but was not open")
        }
        let read = reads.remove(at: place)
        if index < read.floor {
            fail("linearizable read: index \(index), but \(read.floor) was committed before it was asked for")
        }
    }

    // MARK: What is

    /// - Parameter node: the one that changed; all others have been judged before.
    mutating func judge(_ node: World.Place, among places: [World.Place]) {
        guard failure == nil else { return }
        judgeCommitted(node)
        if node.role == .leader { judgeLeader(node) }
        for other in places where other.id != node.id { judgeMatching(node, other) }
        if staysDurable { judgeDurability(by: node.node.core.membership, among: places) }
    }

    /// Whoever speaks of a committed entry speaks of the same one.
    private mutating func judgeCommitted(_ node: World.Place) {
        let log = node.log
        guard log.commitIndex <= lastCommitted else {
            return fail("commit: node \(node.id) counts \(log.commitIndex) as committed, but only \(lastCommitted) are")
        }
        var index = log.commitIndex
        while index > log.base.index {
            if log.term(at: index) != committed[Int(index.rawValue) - 1].entry.term {
                return fail("committed immutable: node \(node.id) has another entry \(index)")
            }
            index = index.previous
        }
    }

    private mutating func judgeLeader(_ node: World.Place) {
        if let known = leaders.first(where: { $0.term == node.term }) {
            if known.node != node.id {
                return fail("election safety: \(known.node) and \(node.id) lead term \(node.term)")
            }
        } else {
            leaders.append(Leader(term: node.term, node: node.id))
        }
        let log = node.log
        for past in committed
        where past.term < node.term && past.entry.index > log.base.index
            && log.term(at: past.entry.index) != past.entry.term
        {
            return fail("leader completeness: leader \(node.id) of term \(node.term) lacks \(past.entry.id)")
        }
        judgeChanges(log, of: node.id)
    }

    /// At most one change of the membership is in a leader's log and not committed.
    private mutating func judgeChanges(_ log: Log, of leader: NodeID) {
        let first = max(lastCommitted.next, log.firstCachedIndex)
        guard first <= log.lastIndex else { return }
        let open = log.slice(from: first, through: log.lastIndex, maxBytes: .max).entries
        let changes = open.count { $0.kind == .membership }
        if changes > 1 { fail("one change: node \(leader) has \(changes) open changes in its log") }
    }

    /// Two logs that share an entry share everything before it.
    private mutating func judgeMatching(_ a: World.Place, _ b: World.Place) {
        let (one, other) = (a.log, b.log)
        let first = max(one.base.index, other.base.index)
        var index = min(one.lastIndex, other.lastIndex)
        while index > first, one.term(at: index) != other.term(at: index) { index = index.previous }
        while index > first {
            guard one.term(at: index) == other.term(at: index) else {
                return fail("log matching: nodes \(a.id) and \(b.id) differ at \(index) and agree later")
            }
            if let mine = a.disk[index], let theirs = b.disk[index], mine.id == theirs.id, mine != theirs {
                return fail("log matching: nodes \(a.id) and \(b.id) hold different entries \(mine.id)")
            }
            index = index.previous
        }
    }

    /// Everything committed is on the disks of a quorum.
    private mutating func judgeDurability(by membership: Membership, among places: [World.Place]) {
        guard let last = committed.last?.entry else { return }
        for voters in [membership.voters, membership.outgoing] where !voters.isEmpty {
            let holders = voters.count { voter in places[Int(voter.rawValue) - 1].disk.holds(last) }
            if holders * 2 <= voters.count {
                return fail("durability: \(last.id) is committed, but on \(holders) of \(voters.count) disks")
            }
        }
    }
}
