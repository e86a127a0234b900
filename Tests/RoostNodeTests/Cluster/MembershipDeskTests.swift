import ByteCoding
import Raft
import RaftStorage
import Testing

@testable import RoostNode

@Suite("Membership desk: one change at a time, each answered once")
struct MembershipDeskTests {
    private static let founders = [NodeID(1), NodeID(2), NodeID(3)]

    private func time(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    private func desk(_ wishes: MembershipDesk.Wish...) -> MembershipDesk {
        var desk = MembershipDesk(patience: .seconds(5))
        for (number, wish) in wishes.enumerated() { desk.add(wish, ticket: UInt64(number) + 1, at: time(0)) }
        return desk
    }

    /// Node 1 leads three founders, all of them near.
    private func view(
        learners: [NodeID] = [], isLeader: Bool = true, isSettled: Bool = true,
        lag: [NodeID: UInt64] = [NodeID(2): 0, NodeID(3): 0],
        members: [NodeID: ClusterDirectory.Member] = [:]
    ) -> DeskView {
        let membership = Membership(voters: Self.founders, learners: learners)
        var directory = ClusterDirectory(founders: Self.founders)
        for (node, member) in members.sorted(by: { $0.key < $1.key }) {
            var update = DirectoryUpdate()
            update.set(member, for: node)
            let change = MembershipChange([.addLearner(node)], context: update.encode())
            guard let next = try? directory.applying(change, resulting: membership) else {
                preconditionFailure("\(change) does not fit")
            }
            directory = next
        }
        return DeskView(
            node: NodeID(1), isLeader: isLeader, isSettled: isSettled, membership: membership, directory: directory,
            lag: lag,
            contacts: [
                NodeID(1): .init(peer: "a:1", incarnation: 11), NodeID(2): .init(peer: "b:1", incarnation: 12),
                NodeID(3): .init(peer: "c:1", incarnation: 13),
            ])
    }

    private func joiner(
        _ peer: String = "d:1", incarnation: UInt64 = 99, wanted: NodeID? = nil
    ) -> MembershipDesk.Wish {
        .join(.init(peer: peer, redis: "d:2", http: "d:3", incarnation: incarnation, wantedID: wanted))
    }

    /// The change that the desk wants proposed, and under which token.
    private func proposal(_ step: MembershipDesk.Step?) throws -> (token: ProposalToken, change: MembershipChange) {
        guard case .propose(let token, let change) = step else { throw TestProblem("\(String(describing: step))") }
        return (token, change)
    }

    private struct TestProblem: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    private func answers(_ desk: inout MembershipDesk) -> [MembershipDesk.Ticket: MembershipDesk.Answer] {
        Dictionary(uniqueKeysWithValues: desk.takeAnswers().map { ($0.ticket, $0.answer) })
    }

    // MARK: - Joining

    @Test func `a node that joins becomes a learner with the next id, and the log gets everybody's address`() throws {
        var desk = desk(joiner())
        let (token, change) = try proposal(desk.next(view()))
        #expect(change.steps == [.addLearner(NodeID(4))])
        let update = try DirectoryUpdate(decoding: change.context)
        #expect(update.members.entries.map(\.node) == [1, 2, 3, 4].map { NodeID($0) })
        #expect(update.members[NodeID(2)]?.peer == "b:1")
        #expect(update.members[NodeID(4)]?.incarnation == 99)

        let id = EntryID(term: Term(2), index: LogIndex(9))
        desk.resolved(token, .committed(id))
        desk.settled(through: LogIndex(8))
        #expect(answers(&desk).isEmpty, "committed is not settled yet")
        desk.settled(through: LogIndex(9))
        #expect(answers(&desk) == [1: .member(NodeID(4))])
        #expect(desk.isEmpty)
    }

    @Test func `asked again with the same directory, it is the same member and nothing is proposed`() {
        var desk = desk(joiner())
        let view = view(learners: [NodeID(4)], members: [NodeID(4): .init(peer: "d:1", incarnation: 99)])
        #expect(desk.next(view) == nil)
        #expect(answers(&desk) == [1: .member(NodeID(4))])
    }

    @Test func `another directory at a voter's address is refused until that voter is removed`() {
        var desk = desk(joiner("b:1"))
        #expect(desk.next(view()) == nil)
        guard case .failed(.refused(let sentence))? = answers(&desk)[1] else {
            Issue.record("not refused")
            return
        }
        #expect(sentence.contains("roostctl member remove 2"))
    }

    @Test func `a learner that died before it had a directory gives way to the next one from its address`() throws {
        let members = [NodeID(4): ClusterDirectory.Member(peer: "d:1", incarnation: 1)]
        var early = desk(joiner("d:1", incarnation: 2))
        let isHeard: [NodeID: UInt64] = [NodeID(2): 0, NodeID(3): 0, NodeID(4): 9]
        #expect(early.next(view(learners: [NodeID(4)], lag: isHeard, members: members)) == nil)
        guard case .failed(.tryAgain)? = answers(&early)[1] else {
            Issue.record("it may live")
            return
        }

        var desk = desk(joiner("d:1", incarnation: 2))
        let (_, change) = try proposal(desk.next(view(learners: [NodeID(4)], members: members)))
        #expect(change.steps == [.remove(NodeID(4)), .addLearner(NodeID(5))])
    }

    @Test func `room that was made for an address is taken by the node that comes from there`() throws {
        var desk = desk(joiner("d:1"))
        let reserved = ClusterDirectory.Member(peer: "d:1", staysLearner: true)
        let (_, change) = try proposal(desk.next(view(learners: [NodeID(7)], members: [NodeID(7): reserved])))
        #expect(change.steps == [.addLearner(NodeID(7))])
        let entry = try DirectoryUpdate(decoding: change.context).members[NodeID(7)]
        #expect(entry?.incarnation == 99)
        #expect(entry?.staysLearner == true)
    }

    @Test func `an id is never used twice`() throws {
        let used: [NodeID: ClusterDirectory.Member] = [NodeID(6): .init(peer: "gone:1")]
        for (wanted, isFree) in [(3, false), (6, false), (7, true), (20, true)] as [(UInt64, Bool)] {
            var desk = desk(joiner(wanted: NodeID(wanted)))
            let step = desk.next(view(members: used))
            if isFree {
                #expect(try proposal(step).change.steps == [.addLearner(NodeID(wanted))])
            } else {
                #expect(step == nil, "\(wanted)")
                guard case .failed(.refused)? = answers(&desk)[1] else {
                    Issue.record("\(wanted) was not refused")
                    continue
                }
            }
        }
    }

    // MARK: - Promotion

    @Test func `a learner that keeps up is promoted without being asked, unless it shall stay one`() throws {
        for staysLearner in [false, true] {
            var desk = desk()
            let member = ClusterDirectory.Member(peer: "d:1", incarnation: 1, staysLearner: staysLearner)
            let view = view(learners: [NodeID(4)], members: [NodeID(4): member])
            desk.addPromotion(of: NodeID(4))
            desk.addPromotion(of: NodeID(4))
            let step = desk.next(view)
            if staysLearner {
                #expect(step == nil)
                #expect(desk.isEmpty)
            } else {
                #expect(try proposal(step).change.steps == [.addVoter(NodeID(4))])
            }
        }
    }

    @Test(arguments: [(nil, "not heard"), (1_001, "1001 entries behind"), (1_000, nil)] as [(UInt64?, String?)])
    func `an operator promotes only a learner that keeps up`(lag: UInt64?, problem: String?) throws {
        var desk = desk(.promote(NodeID(4)))
        var lags: [NodeID: UInt64] = [NodeID(2): 0, NodeID(3): 0]
        lags[NodeID(4)] = lag
        let step = desk.next(view(learners: [NodeID(4)], lag: lags))
        if let problem {
            #expect(step == nil)
            guard case .failed(.tryAgain(let sentence))? = answers(&desk)[1] else {
                Issue.record("not refused")
                return
            }
            #expect(sentence.contains(problem))
        } else {
            #expect(try proposal(step).change.steps == [.addVoter(NodeID(4))])
        }
    }

    @Test func `a promotion that failed for now is tried until the membership shows it`() throws {
        var desk = desk()
        desk.addPromotion(of: NodeID(4))
        let view = view(learners: [NodeID(4)])
        let (first, _) = try proposal(desk.next(view))
        desk.refused(first, .membershipChangePending)
        let (second, change) = try proposal(desk.next(view))
        #expect(second != first)
        #expect(change.steps == [.addVoter(NodeID(4))])
    }

    // MARK: - Removal and transfer

    @Test func `a leader that is removed hands over first, and whoever asked is sent on`() {
        var desk = desk(.remove(NodeID(1)))
        #expect(desk.next(view()) == .transfer(to: nil))
        desk.transferEnded(.steppedDown)
        #expect(answers(&desk) == [1: .failed(.notLeader)])
    }

    @Test func `a leader whom nobody relieves is removed all the same`() throws {
        var desk = desk(.remove(NodeID(1)))
        #expect(desk.next(view()) == .transfer(to: nil))
        desk.transferEnded(.timedOut(target: NodeID(2)))
        #expect(try proposal(desk.next(view())).change.steps == [.remove(NodeID(1))])
    }

    @Test func `nobody is removed whom the majority needs`() throws {
        // Node 3 is away: 1 and 2 are the majority, and each is needed.
        for (node, isRefused) in [(2, true), (1, true), (3, false)] as [(UInt64, Bool)] {
            var desk = desk(.remove(NodeID(node)))
            let step = desk.next(view(lag: [NodeID(2): 5]))
            #expect((step == nil) == isRefused, "node \(node): \(String(describing: step))")
            guard isRefused else { continue }
            guard case .failed(.refused(let sentence))? = answers(&desk)[1] else {
                Issue.record("node \(node)")
                continue
            }
            #expect(sentence.contains("no majority"))
        }
    }

    @Test func `removing twice is as good as once, a stranger is an error`() {
        var desk = desk(.remove(NodeID(6)), .remove(NodeID(9)))
        #expect(desk.next(view(members: [NodeID(6): .init(peer: "gone:1")])) == nil)
        let answers = answers(&desk)
        #expect(answers[1] == .done)
        guard case .failed(.refused)? = answers[2] else {
            Issue.record("\(answers)")
            return
        }
    }

    @Test func `transfers end as the core says`() {
        let ends: [(TransferOutcome, MembershipDesk.Answer)] = [
            (.steppedDown, .done), (.refused("why not"), .failed(.refused("why not"))),
            (
                .timedOut(target: NodeID(2)),
                .failed(.tryAgain("node 2 did not take over within an election timeout"))
            ),
        ]
        for (outcome, answer) in ends {
            var desk = desk(.transfer(to: NodeID(2)))
            #expect(desk.next(view()) == .transfer(to: NodeID(2)))
            #expect(desk.next(view()) == nil, "one at a time")
            desk.transferEnded(outcome)
            #expect(answers(&desk) == [1: answer])
        }
    }

    // MARK: - Order and ends

    @Test func `a second change waits for the first`() throws {
        var desk = desk(joiner("d:1", incarnation: 4), joiner("e:1", incarnation: 5))
        let (token, _) = try proposal(desk.next(view()))
        #expect(desk.next(view()) == nil)
        desk.resolved(token, .committed(EntryID(term: Term(1), index: LogIndex(5))))
        #expect(desk.next(view()) == nil, "it is not settled yet")
        desk.settled(through: LogIndex(5))
        let after = view(learners: [NodeID(4)], members: [NodeID(4): .init(peer: "d:1", incarnation: 4)])
        #expect(try proposal(desk.next(after)).change.steps == [.addLearner(NodeID(5))])
    }

    @Test func `elsewhere than on the leader everything that waits fails at once, what is in the log does not`() throws
    {
        var desk = desk(joiner(), .promote(NodeID(2)))
        let (token, _) = try proposal(desk.next(view()))
        #expect(desk.next(view(isLeader: false)) == nil)
        desk.leadershipLost()
        #expect(answers(&desk) == [2: .failed(.notLeader)])
        desk.resolved(token, .lost)
        guard case .failed(.tryAgain)? = answers(&desk)[1] else {
            Issue.record("a lost change can be tried again")
            return
        }
    }

    @Test func `a leader begins nothing, and says of nobody that it is gone, before that is settled`() throws {
        let members: [NodeID: ClusterDirectory.Member] = [NodeID(6): .init(peer: "gone:1")]
        var desk = desk(.remove(NodeID(6)), joiner())
        #expect(desk.next(view(isSettled: false, members: members)) == nil)
        #expect(answers(&desk).isEmpty, "a new leader may have to repeat the removal of 6")
        #expect(try proposal(desk.next(view(members: members))).change.steps == [.addLearner(NodeID(7))])
        #expect(answers(&desk) == [1: .done])
    }

    /// The new leader finds the change done; only room that was made would look like somebody else's.
    @Test(
        arguments: [(.remove(NodeID(3)), true), (.reserve(peer: "d:1", id: nil, staysLearner: false), false)]
            as [(MembershipDesk.Wish, Bool)])
    func `leadership that is lost before a change is settled leaves it to the next leader`(
        wish: MembershipDesk.Wish, mayAskAgain: Bool
    ) throws {
        var desk = desk(wish)
        let (token, _) = try proposal(desk.next(view()))
        desk.resolved(token, .committed(EntryID(term: Term(2), index: LogIndex(9))))
        desk.leadershipLost()
        switch answers(&desk)[1] {
        case .failed(.tryAgain)?: #expect(mayAskAgain)
        case .failed(.inDoubt)?: #expect(!mayAskAgain)
        case let other: Issue.record("\(String(describing: other))")
        }
        #expect(desk.isEmpty)
    }

    @Test func `a promotion of the leader's own goes with its leadership, at whatever stage`() throws {
        var desk = desk()
        desk.addPromotion(of: NodeID(4))
        _ = try proposal(desk.next(view(learners: [NodeID(4)])))
        desk.leadershipLost()
        #expect(desk.isEmpty)
        #expect(answers(&desk).isEmpty)
    }

    @Test func `who waits too long is told whether anything may have happened`() throws {
        var desk = desk(joiner(), .promote(NodeID(4)))
        _ = try proposal(desk.next(view()))
        #expect(desk.nextDeadline == time(5_000))
        desk.expire(at: time(4_999))
        #expect(answers(&desk).isEmpty)
        desk.expire(at: time(5_000))
        let answers = answers(&desk)
        #expect(answers[1] == .failed(.inDoubt))
        guard case .failed(.tryAgain)? = answers[2] else {
            Issue.record("\(answers)")
            return
        }
        #expect(desk.isEmpty)
    }

    @Test func `a snapshot in the place of the change leaves it in doubt`() throws {
        var desk = desk(joiner())
        let (token, _) = try proposal(desk.next(view()))
        desk.resolved(token, .unknown)
        #expect(answers(&desk) == [1: .failed(.inDoubt)])
    }
}
