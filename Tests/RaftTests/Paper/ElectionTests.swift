import ByteCoding
import Raft
import Testing

@Suite("Terms and leader election (Raft paper, 5.1 and 5.2)")
struct ElectionTests {
    @Test func `three nodes elect one leader and replicate`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        #expect(cluster.leaders == [1])
        cluster.propose(1, "a")
        cluster.settle()
        for node in cluster.nodes {
            #expect(node.core.commitIndex == 2)
            #expect(cluster.state(of: node.id) == ["a"])
        }
    }

    // MARK: 5.1

    enum Start: CaseIterable {
        case follower, candidate, leader

        /// A node in this role, in term 1.
        func node() -> TestNode {
            var node = TestNode(configure: plain)
            switch self {
            case .follower: node.follow(2, term: 1)
            case .candidate: node.timeOut()
            case .leader: node.becomeLeader()
            }
            _ = node.takeMessages()
            return node
        }
    }

    @Test(arguments: Start.allCases) func `a message of a later term makes any node a follower`(_ start: Start) {
        var node = start.node()
        node.receive(from: 3, term: 2, .appendRequest(previous: .zero, entries: [], commit: 0))
        #expect(node.core.term == 2)
        #expect(node.core.role == .follower)
        #expect(node.core.leader == 3)
        #expect(node.disk.hardState == HardState(term: 2))
    }

    @Test(arguments: Start.allCases) func `a message of an earlier term only learns of this one`(_ start: Start) {
        var node = start.node()
        let before = node.status
        node.receive(from: 3, term: 0, .appendRequest(previous: .zero, entries: entries(terms: [0]), commit: 0))
        #expect(node.status == before)
        #expect(node.said() == [Said(3, 1, .heartbeatResponse(round: 0))])
    }

    @Test func `requests for votes of an earlier term are refused in this one`() {
        var node = TestNode(restored: .log(terms: [], term: 5))
        node.receive(from: 2, term: 4, .voteRequest(last: .zero, isTransfer: false))
        node.receive(from: 2, term: 4, .preVoteRequest(last: .zero))
        #expect(
            node.said() == [
                Said(2, 5, .voteResponse(granted: false)), Said(2, 5, .preVoteResponse(granted: false)),
            ])
    }

    // MARK: 5.2

    @Test func `a node starts as a follower without a leader`() {
        let node = TestNode(restored: .log(terms: [1, 2], term: 3, vote: 2))
        #expect(node.core.role == .follower)
        #expect(node.core.leader == nil)
        #expect(node.core.term == 3)
        #expect(node.status.vote == 2)
        #expect(node.core.lastIndex == 2)
    }

    @Test func `a leader sends heartbeats at once and then at every interval`() {
        var node = TestNode(configure: plain)
        node.becomeLeader()
        let beats = node.takeMessages().filter(\.isHeartbeat)
        #expect(beats.map(\.to) == [2, 3])
        #expect(node.core.nextDeadline == node.now.advanced(by: .milliseconds(50)))
        for _ in 0..<3 {
            node.wait(.milliseconds(49))
            #expect(node.takeMessages().isEmpty)
            node.wait(.milliseconds(1))
            #expect(node.takeMessages().filter(\.isHeartbeat).map(\.to) == [2, 3])
        }
    }

    @Test(arguments: [Start.follower, .candidate])
    func `an election timeout starts an election in the next term`(_ start: Start) {
        var node = start.node()
        node.timeOut()
        #expect(node.core.role == .candidate)
        #expect(node.core.term == 2)
        #expect(node.core.leader == nil)
        #expect(node.disk.hardState == HardState(term: 2, vote: 1))
        #expect(
            node.said() == [
                Said(2, 2, .voteRequest(last: .zero, isTransfer: false)),
                Said(3, 2, .voteRequest(last: .zero, isTransfer: false)),
            ])
    }

    struct Ballot: Sendable {
        var size: UInt64
        var votes: [NodeID: Bool]
        var role: RoleKind
    }

    @Test(arguments: [
        // A majority of grants elects at once.
        Ballot(size: 1, votes: [:], role: .leader),
        Ballot(size: 3, votes: [2: true, 3: true], role: .leader),
        Ballot(size: 3, votes: [2: true], role: .leader),
        Ballot(size: 5, votes: [2: true, 3: true, 4: true, 5: true], role: .leader),
        Ballot(size: 5, votes: [2: true, 3: true, 4: true], role: .leader),
        Ballot(size: 5, votes: [2: true, 3: true], role: .leader),
        // A majority of refusals ends it.
        Ballot(size: 3, votes: [2: false, 3: false], role: .follower),
        Ballot(size: 5, votes: [2: false, 3: false, 4: false, 5: false], role: .follower),
        Ballot(size: 5, votes: [2: true, 3: false, 4: false, 5: false], role: .follower),
        // Anything else waits.
        Ballot(size: 3, votes: [:], role: .candidate),
        Ballot(size: 5, votes: [2: true], role: .candidate),
        Ballot(size: 5, votes: [2: false, 3: false], role: .candidate),
        Ballot(size: 4, votes: [2: true, 3: false], role: .candidate),
        Ballot(size: 4, votes: [3: false, 4: false], role: .follower),
    ])
    func `votes of one round decide an election`(_ ballot: Ballot) {
        var node = TestNode(restored: .log(terms: [], voters: voters(ballot.size)), configure: plain)
        if ballot.size > 1 { node.timeOut() }
        for voter in voters(ballot.size).dropFirst() {
            guard let vote = ballot.votes[voter] else { continue }
            node.receive(from: voter, term: node.core.term, .voteResponse(granted: vote))
            // A repeat is no second vote.
            node.receive(from: voter, term: node.core.term, .voteResponse(granted: vote))
        }
        #expect(node.core.role == ballot.role)
        #expect(node.core.term == 1)
    }

    @Test(
        arguments: [
            (nil, 2, true), (nil, 3, true), (2, 2, true), (3, 3, true), (2, 3, false), (3, 2, false),
        ] as [(NodeID?, NodeID, Bool)])
    func `a node votes once a term, first come first served`(vote: NodeID?, candidate: NodeID, isGranted: Bool) {
        var node = TestNode(restored: .log(terms: [], term: 1, vote: vote), configure: plain)
        node.receive(from: candidate, term: 1, .voteRequest(last: .zero, isTransfer: false))
        #expect(node.said() == [Said(candidate, 1, .voteResponse(granted: isGranted))])
        #expect(node.disk.hardState.vote == (vote ?? candidate))
    }

    @Test(arguments: [1, 2] as [Term])
    func `a candidate falls back when a leader of its term or a later one appears`(term: Term) {
        var node = TestNode(configure: plain)
        node.timeOut()
        node.receive(from: 2, term: term, .appendRequest(previous: .zero, entries: [], commit: 0))
        #expect(node.core.role == .follower)
        #expect(node.core.leader == 2)
        #expect(node.core.term == term)
    }

    @Test func `a candidate that falls back in its term keeps its vote`() {
        var node = TestNode(configure: plain)
        node.timeOut()
        node.receive(from: 2, term: 1, .heartbeat(commit: 0, round: 0, truncatable: 0))
        node.receive(from: 3, term: 1, .voteRequest(last: id(9, 9), isTransfer: false))
        #expect(node.said().last == Said(3, 1, .voteResponse(granted: false)))
        #expect(node.disk.hardState.vote == 1)
    }

    @Test func `votes of an earlier election do not count`() {
        var node = TestNode(restored: .log(terms: [], voters: voters(5)), configure: plain)
        node.timeOut()
        node.receive(from: 2, term: 1, .voteResponse(granted: true))
        node.timeOut()
        node.receive(from: 3, term: 1, .voteResponse(granted: true))
        node.receive(from: 3, term: 2, .voteResponse(granted: true))
        #expect(node.core.role == .candidate)
        node.receive(from: 4, term: 2, .voteResponse(granted: true))
        #expect(node.core.role == .leader)
    }

    @Test func `election timeouts lie between one and two and differ`() {
        var node = TestNode(restored: .log(terms: [], voters: voters(3)), configure: plain)
        var timeouts: Set<UInt64> = []
        for _ in 0..<200 {
            let timeout = node.core.nextDeadline.since(node.now)
            #expect(timeout >= .milliseconds(300) && timeout < .milliseconds(600))
            timeouts.insert(timeout.wholeNanoseconds / 1_000_000)
            node.timeOut()
        }
        #expect(timeouts.count > 100)
    }

    @Test func `nodes with the same seed seldom time out together`() {
        var (conflicts, rounds) = (0, 0)
        for seed in 0..<200 as Range<UInt64> {
            let deadlines = voters(5).map { node in
                TestNode(node, restored: .log(terms: [], voters: voters(5)), configure: { $0.seed = seed })
                    .core.nextDeadline.nanoseconds / 10_000_000
            }.sorted()
            rounds += 1
            if deadlines[0] == deadlines[1] { conflicts += 1 }
        }
        #expect(Double(conflicts) / Double(rounds) < 0.3)
    }

    /// A stream that is another's, only ahead, would split every vote as soon as the two are in step.
    @Test func `nodes with the same seed have streams of their own`() {
        for seed in 0..<50 as Range<UInt64> {
            var timeouts: Set<Duration> = []
            for node in voters(5) {
                var test = TestNode(
                    node, restored: .log(terms: [], voters: voters(5)),
                    configure: {
                        plain(&$0)
                        $0.seed = seed
                    })
                for _ in 0..<20 {
                    timeouts.insert(test.core.nextDeadline.since(test.now))
                    test.timeOut()
                }
            }
            // To the nanosecond, so chance makes none of a hundred equal.
            #expect(timeouts.count == 100, "seed \(seed)")
        }
    }

    @Test func `a granted vote puts the own election off, a refused one does not`() {
        var node = TestNode(restored: .log(terms: [3]), configure: plain)
        node.wait(.milliseconds(200))
        let before = node.core.nextDeadline
        node.receive(from: 2, term: 3, .voteRequest(last: id(1, 9), isTransfer: false))
        #expect(node.core.nextDeadline == before)
        node.receive(from: 3, term: 3, .voteRequest(last: id(3, 1), isTransfer: false))
        #expect(node.core.nextDeadline > before)
    }

    // MARK: Elections of whole groups

    @Test(arguments: [true, false]) func `leadership goes round`(preVote: Bool) {
        var cluster = Cluster(3) {
            $0.preVote = preVote
            $0.checkQuorum = false
        }
        for node in [1, 2, 3, 1] as [NodeID] {
            cluster.elect(node)
            #expect(cluster.leaders == [node])
        }
        #expect(cluster[1].core.term == 4)
    }

    @Test func `all servers step down when a later leader is heard`() {
        for start in Start.allCases {
            var node = start.node()
            node.receive(from: 2, term: 3, .heartbeat(commit: 0, round: 0, truncatable: 0))
            #expect(node.core.role == .follower && node.core.term == 3 && node.core.leader == 2)
        }
    }

    @Test func `two candidates of one term: the loser concedes and its log is mended`() {
        var cluster = Cluster(3, configure: plain)
        cluster.isolate(1)
        cluster.campaign(1)
        cluster.campaign(3)
        #expect(cluster[1].core.role == .candidate)
        #expect(cluster.leaders == [3])
        cluster.heal()
        cluster.propose(3, "x")
        cluster.run(for: .milliseconds(100))
        #expect(cluster[1].core.role == .follower)
        #expect(cluster[1].core.term == 1)
        #expect(cluster.state(of: 1) == ["x"])
    }

    @Test func `an election with a split vote is repeated`() {
        var cluster = Cluster(4, configure: plain)
        cluster.cutLink(1, 3)
        cluster.cutLink(1, 4)
        cluster.cutLink(2, 3)
        cluster.cutLink(2, 4)
        cluster.with(1) { $0.timeOut() }
        cluster.with(3) { $0.timeOut() }
        cluster.settle()
        #expect(cluster.leaders.isEmpty)
        cluster.heal()
        cluster.run(for: .seconds(3))
        #expect(cluster.leaders.count == 1)
    }

    @Test(arguments: [true, false])
    func `a new leader overwrites newer entries of a minority`(preVote: Bool) {
        // Nodes 1, 2 and 5 have an entry of term 1, node 4 voted in term 2, node 3 led term 2 and appended alone.
        var cluster = Cluster(
            [
                .log(terms: [1], voters: voters(5)), .log(terms: [1], voters: voters(5)),
                .log(terms: [2], term: 2, vote: 3, voters: voters(5)),
                .log(terms: [], term: 2, vote: 3, voters: voters(5)),
                .log(terms: [], term: 2, vote: 3, voters: voters(5)),
            ]
        ) {
            $0.preVote = preVote
            $0.checkQuorum = false
        }
        // Node 1 learns of term 2 from its refusal, then wins term 3 with the nodes that have no entry.
        cluster.campaign(1)
        if cluster[1].core.role != .leader { cluster.campaign(1) }
        #expect(cluster.leaders == [1])
        #expect(cluster[1].core.term == 3)
        for node in cluster.nodes {
            #expect(node.disk.entries.map(\.term) == [1, 3])
            #expect(node.core.commitIndex == 2)
        }
    }
}
