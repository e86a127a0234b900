import Raft

/// Plays a script on a group of cores, and judges the whole group by `Checker` after every line.
///
/// A script has one command a line. Nothing moves that no command moves: messages wait until they are delivered, no time
/// passes, and `hold` keeps a disk or a state machine from finishing what it was given.
///
/// | Command | |
/// |---|---|
/// | `set KEY=VALUE...` | settings of the nodes that start after it; `algorithm=paper`: without PreVote and CheckQuorum |
/// | `nodes ID... [voters= learners= outgoing= log= term= vote= commit=]` | starts nodes; `log=1,1,2`: terms of entries |
/// | `campaign N`, `heartbeat N`, `fire N` | N's clock leaps to its next timer: as no leader, as leader, as whatever |
/// | `pass DURATION [N...]`, `run DURATION` | time passes for all (or those) at once; deadline by deadline, delivering |
/// | `propose N NAME...` | the name is the payload |
/// | `change N STEP... [transition=automatic,joint,explicit as=NAME]` | `voter:4 learner:5 remove:1`; `leave` leaves |
/// | `transfer N [TO]`, `read N NAME` | |
/// | `deliver FILTER`, `drop FILTER`, `settle [N...]` | what is under way; what that leads to, too, until nothing moves |
/// | `lose FILTER`, `lose nothing` | every such message from now on is lost |
/// | `hold`, `release` `disk`, `apply`, `install` `N...`; `hold`, `release` `snapshots` | |
/// | `sync N [COUNT]`, `apply N [COUNT]`, `install N` | finishes held work, the oldest first |
/// | `send-snapshot FROM TO`, `deliver-snapshot TO`, `lose-snapshot TO` | |
/// | `compact N INDEX`, `disk-full N on` | |
/// | `isolate N`, `cut A B`, `heal`, `crash N`, `restart N [applied=INDEX]` | |
/// | `unreachable N PEER`, `leader-lost N` | what a transport notices |
/// | `expect ...` | see `Scenario+Expectations.swift` |
struct Scenario {
    var cluster = Cluster([])
    /// Of the nodes that are started from now on.
    var configure: [(inout Configuration) -> Void] = []
    var checker = Checker()
    private var ledgers: [NodeID: Checker.Ledger] = [:]
    private var tokens: UInt64 = 0
    /// What became of each proposal and read, by name.
    private(set) var outcomes: [String: String] = [:]
    private var names: [ProposalToken: String] = [:]
    private var readNames: [ReadToken: String] = [:]
    private(set) var transferOutcomes: [NodeID: TransferOutcome] = [:]
    private(set) var caughtUp: [NodeID: [NodeID]] = [:]
    /// Broken rules and bad messages that no line has expected yet, by node.
    private(set) var complaints: [NodeID: String] = [:]

    /// Plays the whole script.
    static func play(_ text: String, file: String) throws(ScenarioFailure) {
        var scenario = Scenario()
        var isExpecting = false
        let lines = ScenarioLine.all(of: text, file: file)
        for line in lines {
            try scenario.play(line)
            isExpecting = isExpecting || line.words.first == "expect"
        }
        guard let last = lines.last, isExpecting else {
            throw ScenarioFailure(file: file, line: 1, expected: "a script that expects something", found: "none")
        }
        try scenario.finish(after: last)
    }

    /// Nobody may have complained of something that no line has expected.
    func finish(after last: ScenarioLine) throws(ScenarioFailure) {
        for node in cluster.nodes {
            if let complaint = complaints[node.id] {
                throw last.failure("no complaints at the end", found: "node \(node.id): \(complaint)")
            }
        }
    }

    /// Plays one line.
    mutating func play(_ line: ScenarioLine) throws(ScenarioFailure) {
        var line = line
        let command = try line.word("a command")
        let before = cluster.nodes.map(\.core.membership)
        try execute(command, &line)
        try line.finish()
        watch(memberships: before)
        if let failure = checker.failure { throw line.failure("a sound group", found: failure) }
    }

    // MARK: Names

    mutating func newProposal(_ name: String) -> ProposalToken {
        tokens += 1
        names[ProposalToken(tokens)] = name
        outcomes[name] = "open"
        return ProposalToken(tokens)
    }

    mutating func newRead(_ name: String, at node: NodeID) -> ReadToken {
        tokens += 1
        let token = ReadToken(incarnation: node.rawValue, count: tokens)
        readNames[token] = name
        outcomes[name] = "open"
        ledgers[node, default: Checker.Ledger()].reads[token] = checker.lastCommitted
        return token
    }

    mutating func acknowledgeComplaint(of node: NodeID) { complaints[node] = nil }

    // MARK: What came out

    private mutating func watch(memberships before: [Membership]) {
        for node in cluster.nodes {
            if checker.check(node) {
                checker.checkDurable(cluster.nodes, in: before + cluster.nodes.map(\.core.membership))
            }
        }
        for node in cluster.nodes {
            var ledger = ledgers[node.id] ?? Checker.Ledger()
            for event in cluster.takeEvents(of: node.id) { note(event, of: node, &ledger) }
            checker.checkApplied(of: node, &ledger)
            ledgers[node.id] = ledger
        }
        checker.checkLogs(cluster.nodes)
    }

    private mutating func note(_ event: Effect, of node: TestNode, _ ledger: inout Checker.Ledger) {
        switch event {
        case .violated(let violation): return complaints[node.id] = violation.rule
        case .peerMisbehaved(let peer, _): return complaints[node.id] = "misbehaviour-of-\(peer)"
        case .proposalAccepted(let token, let id): names[token].map { outcomes[$0] = "accepted \(id)" }
        case .proposalRefused(let token, let refusal): names[token].map { outcomes[$0] = "refused \(refusal.word)" }
        case .proposalResolved(let token, let outcome): names[token].map { outcomes[$0] = outcome.word }
        case .readReady(let token, let index): readNames[token].map { outcomes[$0] = "ready \(index)" }
        case .readFailed(let token): readNames[token].map { outcomes[$0] = "failed" }
        case .transferEnded(let outcome): transferOutcomes[node.id] = outcome
        case .learnerCaughtUp(let learner): caughtUp[node.id, default: []].append(learner)
        default: break
        }
        checker.check(event, of: node, &ledger)
    }
}

extension ProposalRefusal {
    fileprivate var word: String {
        switch self {
        case .notLeader(let leader): "not-leader \(leader.map { "\($0)" } ?? "none")"
        case .uncommittedLimit: "limit"
        case .unappliedLimit: "backlog"
        case .diskFull: "disk-full"
        case .transferring(let target): "transferring \(target)"
        case .membershipChangePending: "pending-change"
        case .invalidMembershipChange: "invalid-change"
        }
    }
}

extension ProposalOutcome {
    fileprivate var word: String {
        switch self {
        case .committed(let id): "committed \(id)"
        case .lost: "lost"
        case .unknown: "unknown"
        }
    }
}
