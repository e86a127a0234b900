import Raft
import Testing

/// A runner that lets anything pass would make every scenario worthless.
@Suite("The runner of scenarios") struct ScenarioKitTests {
    /// What playing the script ends with; `nil`: nothing is wrong.
    private func failure(_ script: String) -> ScenarioFailure? {
        do throws(ScenarioFailure) {
            try Scenario.play(script, file: "s")
            return nil
        } catch {
            return error
        }
    }

    @Test func `a failure names file, line, what was expected and what was found`() {
        let failure = failure(
            """
            # A comment, and an empty line.

            nodes 1 2 3
            expect 1 role=follower
            expect 1 role=leader  # It has not even campaigned.
            """)
        #expect(failure?.description == "s:5: expected role leader, found follower")
    }

    /// Each of these is true of a group of three that node 1 leads, with entries a and b, of which node 3 lacks the
    /// second, and with a little change (second column) it is not.
    static let pairs: [(String, String)] = [
        ("expect 1 role=leader term=1 vote=1", "expect 1 role=leader term=1 vote=2"),
        ("expect 1 leader=1 commit=3", "expect 1 leader=1 commit=2"),
        ("expect 1 applied=3 durable=3 first=1 last=3", "expect 1 applied=3 durable=3 first=2 last=3"),
        ("expect 1 log=1,1,1 disk=1,1,1", "expect 1 log=1,1,1 disk=1,1"),
        ("expect 1 state=a,b", "expect 1 state=a"),
        ("expect 1 voters=1,2,3 outgoing=none learners=none", "expect 1 voters=1,2,3 outgoing=none learners=4"),
        ("expect 1 transfer=none transfer-ended=no", "expect 1 transfer=2"),
        ("expect 3 complaint=none", "expect 3 complaint=two-leaders"),
        ("expect 1 peer 3 mode=replicate match=2", "expect 1 peer 3 mode=probe match=2"),
        ("expect 1 peer 3 inflight=1", "expect 1 peer 3 inflight=0"),
        ("expect 1 peer 2 active=yes learner=no", "expect 1 peer 2 active=yes learner=yes"),
        ("expect leaders 1", "expect leaders none"),
        ("expect messages 1", "expect messages 2"),
        ("expect messages 1 to=3 kind=append entries=1", "expect messages 1 to=3 kind=append entries=2"),
        ("expect messages 0 to=2", "expect messages 1 to=2"),
        ("expect snapshots 0", "expect snapshots 1"),
        ("expect proposal a committed 1/2", "expect proposal a committed 1/3"),
        ("expect proposal b committed", "expect proposal b lost"),
        ("expect read r ready 3", "expect read r ready 2"),
        ("expect read r ready", "expect read r failed"),
        ("expect same 1 2", "expect same 1 2 3"),
        ("drop to=3", "expect quiet"),
        ("expect 1 peer 3 mode=replicate", "expect 1 peer 3 gone"),
    ]

    private static let beginning = """
        nodes 1 2 3
        campaign 1
        settle
        propose 1 a
        settle
        propose 1 b
        settle 1 2
        drop to=3 kind=append entries=0
        read 1 r
        settle 1 2
        drop to=3 kind=heartbeat

        """

    @Test(arguments: pairs) func `what holds passes, what does not fails in its line`(holds: String, fails: String) {
        #expect(failure(Self.beginning + "expect 1 term=1\n" + holds) == nil)
        #expect(failure(Self.beginning + fails)?.line == 12)
    }

    @Test(
        arguments: [
            ("nodes 1\nfly 1", "a command"), ("nodes", "nodes"), ("nodes 1\nnodes 1", "a new node"),
            ("nodes 1\nexpect 1 colour=red", "a property of a node"), ("nodes 1\nexpect 1", "something about node 1"),
            ("nodes 1 2\nexpect 1 peer 2 mode=probe", "a peer 2 of node 1"), ("nodes 1\ncampaign 2", "a node"),
            ("nodes 1\ncampaign 1", "a node in another role"), ("nodes 1 2\nheartbeat 1", "a node in another role"),
            ("set colour=red", "a setting"), ("set pre-vote=maybe", "on or off"),
            ("set algorithm=mine", "algorithm=paper"),
            ("nodes 1\npropose 1", "what to propose"), ("nodes 1\nexpect proposal x open", "a name"),
            ("nodes 1\npropose 1 x\nexpect proposal x", "an outcome"), ("nodes 1 2\ndeliver", "such a message"),
            ("nodes 1 2\ncampaign 1\ndrop kind=pigeon", "one of"), ("nodes 1\nsettle 1 now", "a node"),
            ("nodes 1 2\ncampaign 1\ndeliver colour=red", "one of"), ("nodes 1\npass 5", "a duration"),
            ("nodes 1\nchange 1 king:2", "voter, learner or remove"), ("nodes 1\nhold disk", "nodes"),
            ("nodes 1\nhold breath 1", "disk, apply"), ("nodes 1\ncompact 1 7", "an entry 7"),
            ("nodes 1\ndeliver-snapshot 1", "a snapshot under way"), ("nodes 1 voters=1 voters=2", "one voters="),
            ("nodes 1 log=1,x", "log="), ("nodes 1\nisolate 1 2", "the end of the line"),
            ("nodes 1\nrestart 1 at=5", "a known option"), ("nodes 1", "a script that expects"), ("", "a script"),
        ] as [(String, String)])
    func `a slip of the pen is an error`(script: String, expected: String) {
        #expect(failure(script)?.expected.hasPrefix(expected) == true, "\(String(describing: failure(script)))")
    }

    @Test func `a group that is not sound fails, though no line asks`() {
        // A second leader of term 1, of a group of its own that believes node 2 to be its learner.
        let script = """
            nodes 1 2
            campaign 1
            settle
            nodes 5 voters=5 learners=2
            expect leaders 1,5
            """
        let failure = failure(script)
        #expect(failure?.line == 4)
        #expect(failure?.found == "election safety: 1 and 5 lead term 1")
    }

    @Test func `a complaint fails at the end, unless a line expects it`() throws {
        var scenario = Scenario()
        for line in ScenarioLine.all(of: "nodes 1 2\nexpect 1 term=0", file: "s") { try scenario.play(line) }
        // An append that no leader of term 1 can have sent.
        scenario.cluster.give(
            1,
            .received(
                Message(
                    group: group, from: 2, to: 1, term: 1,
                    body: .appendRequest(previous: id(9, 9), entries: [], commit: 0))))
        let line = try #require(ScenarioLine(file: "s", number: 3, text: "expect 1 term=1"))
        try scenario.play(line)
        #expect(throws: ScenarioFailure.self) { try scenario.finish(after: line) }
        let complaint = try #require(
            ScenarioLine(file: "s", number: 4, text: "expect 1 complaint=misbehaviour-of-2"))
        try scenario.play(complaint)
        try scenario.finish(after: complaint)
    }

    // MARK: Tables

    @Test(
        arguments: [
            ("voters=1,2,3 reached=1,2,3 commits=3", 1), ("# x\nvoters=1,2 votes=y,n outcome=won", 2),
            ("voters=1,2,3 votes=y,y,- outcome=pending", 1), ("voters=1,2 reached=1 commits=0", 1),
            ("voters=1 reached=1", 1), ("voters=1 reached=1 commits=1 colour=red", 1), ("", 1),
            ("voters=1 votes=maybe outcome=won", 1),
        ] as [(String, Int)])
    func `a wrong case of a quorum table fails in its line`(table: String, line: Int) {
        #expect(throws: ScenarioFailure.self) { try QuorumTable.play(table, file: "t") }
        do { try QuorumTable.play(table, file: "t") } catch { #expect(error.line == line) }
    }

    @Test(
        arguments: [
            ("start voters=1\nexpect voters=2", 2), ("start voters=1\napply voter:2\nexpect voters=1,2 learners=3", 3),
            ("start voters=1\napply remove:1\nexpect voters=1", 2), ("start voters=1\nrefuse voter:2", 2),
            ("start voters=1\nleave", 2), ("start voters=1 outgoing=2\nrefuse-leave", 2), ("start voters=1", 1),
            ("start voters=1\nwish voter:2", 2), ("start voters=1\napply voter:2 leaves=on", 2),
        ] as [(String, Int)])
    func `a wrong line of a membership table fails`(table: String, line: Int) {
        do {
            try MembershipTable.play(table, file: "t")
            Issue.record("it passed")
        } catch {
            #expect(error.line == line)
        }
    }
}
