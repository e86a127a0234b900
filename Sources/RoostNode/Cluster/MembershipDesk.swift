import ByteCoding
import DequeModule
import Raft
import RaftStorage

/// What operators, joining nodes and the node itself want of the cluster's membership, one after the other: only one
/// change at a time may be in the log, and the next id depends on the last change.
///
/// Only a leader carries wishes out; elsewhere they fail with `.notLeader`, so that whoever asks can ask the leader.
///
/// Pure: no clock, no I/O.
struct MembershipDesk {
    /// Names a wish towards its caller.
    typealias Ticket = UInt64

    enum Wish: Hashable {
        /// Room for a node that does not run yet.
        case reserve(peer: String, id: NodeID?, staysLearner: Bool)
        /// A node with an empty directory asks to be let in.
        case join(Joiner)
        case promote(NodeID)
        /// Like `promote`, by the leader itself once the core says that the learner keeps up. Nobody waits for it.
        case promoteCaughtUp(NodeID)
        case remove(NodeID)
        case transfer(to: NodeID?)
    }

    /// What a joining node says of itself.
    struct Joiner: Hashable {
        /// Where others reach it, as `host:port`.
        var peer: String
        var redis: String
        var http: String
        /// Of the directory that it is about to make; never 0.
        var incarnation: UInt64
        var wantedID: NodeID?
    }

    enum Answer: Hashable {
        case done
        /// The member that a `reserve` or `join` made, or had made before.
        case member(NodeID)
        case failed(Failure)
    }

    enum Failure: Hashable {
        /// Certainly not done: ask the leader.
        case notLeader
        /// Certainly not done, and trying again does not help. One sentence.
        case refused(String)
        /// Not done, or not known to last: try again, which does no harm if it was. One sentence.
        case tryAgain(String)
        /// It is in the log and may or may not take effect.
        case inDoubt
    }

    /// What the caller does next.
    enum Step: Hashable {
        case propose(ProposalToken, MembershipChange)
        case transfer(to: NodeID?)
    }

    private enum Stage: Hashable {
        case waiting
        case proposed(ProposalToken)
        /// Not settled yet.
        case committed(EntryID)
        case transferring

        /// Whether only a leader gets it out of this stage.
        var isForLeaders: Bool {
            switch self {
            case .waiting, .committed: true
            case .proposed, .transferring: false
            }
        }
    }

    private struct Item {
        /// 0: nobody waits for an answer.
        let ticket: Ticket
        let wish: Wish
        let deadline: MonotonicTime
        var stage = Stage.waiting
        /// The leader that is to be removed has tried to hand over first.
        var triedTransfer = false
        /// The member that the proposed change makes.
        var member: NodeID?
    }

    /// Sets the desk's proposals apart from clients', which count from 1 up.
    private static let tokenMark: UInt64 = 1 << 63

    /// Whether a proposal is the desk's.
    static func owns(_ token: ProposalToken) -> Bool { token.rawValue & tokenMark != 0 }

    private let patience: Duration
    private var items: Deque<Item> = []
    private var answers: [(Ticket, Answer)] = []
    private var lastToken: UInt64 = 0

    /// - Parameter patience: how long a wish may take before it is given up.
    init(patience: Duration) { self.patience = patience }

    /// Nothing is wanted.
    var isEmpty: Bool { items.isEmpty }

    /// When `expire` has something to do.
    var nextDeadline: MonotonicTime { items.map(\.deadline).min() ?? .never }

    // MARK: - Wishes

    mutating func add(_ wish: Wish, ticket: Ticket, at now: MonotonicTime) {
        items.append(Item(ticket: ticket, wish: wish, deadline: now.advanced(by: patience)))
    }

    /// Promotes the learner as soon as it can be done, unless leadership is lost before.
    mutating func addPromotion(of node: NodeID) {
        guard !items.contains(where: { $0.wish == .promoteCaughtUp(node) }) else { return }
        items.append(Item(ticket: 0, wish: .promoteCaughtUp(node), deadline: .never))
    }

    /// Answers since the last call.
    mutating func takeAnswers() -> [(ticket: Ticket, answer: Answer)] {
        defer { answers = [] }
        return answers
    }

    /// The next thing to do, if nothing is under way. Wishes that need nothing done are answered on the way: so this
    /// waits until the membership of now is settled, and "is no member any more" may be relied on.
    mutating func next(_ view: DeskView) -> Step? {
        guard view.isLeader, view.isSettled, items.allSatisfy({ $0.stage == .waiting }) else { return nil }
        while let item = items.first {
            switch decide(item, view) {
            case .answer(let answer): finish(0, answer)
            case .transfer(let target):
                items[0].stage = .transferring
                return .transfer(to: target)
            case .change(let change, let member):
                lastToken += 1
                let token = ProposalToken(Self.tokenMark | lastToken)
                items[0].stage = .proposed(token)
                items[0].member = member
                return .propose(token, change)
            }
        }
        return nil
    }

    // MARK: - What came of it

    mutating func refused(_ token: ProposalToken, _ refusal: ProposalRefusal) {
        guard let position = position(of: .proposed(token)) else { return }
        switch refusal {
        case .notLeader: finish(position, .failed(.notLeader))
        case .invalidMembershipChange(let error): finish(position, .failed(.refused(error.description)))
        // Passes by itself; the deadline bounds it.
        default: items[position].stage = .waiting
        }
    }

    mutating func resolved(_ token: ProposalToken, _ outcome: ProposalOutcome) {
        guard let position = position(of: .proposed(token)) else { return }
        switch outcome {
        case .committed(let id): items[position].stage = .committed(id)
        case .lost: finish(position, .failed(.tryAgain("another leader took over before the change was committed")))
        case .unknown: finish(position, .failed(.inDoubt))
        }
    }

    /// This leader knows that changes up to `index` have taken effect and will not be forgotten: whoever was removed may
    /// be destroyed.
    mutating func settled(through index: LogIndex) {
        while let position = items.firstIndex(where: { item in
            if case .committed(let id) = item.stage { id.index <= index } else { false }
        }) {
            finish(position, items[position].member.map { .member($0) } ?? .done)
        }
    }

    mutating func transferEnded(_ outcome: TransferOutcome) {
        guard let position = position(of: .transferring) else { return }
        let isRemoval = if case .remove = items[position].wish { true } else { false }
        switch outcome {
        case .steppedDown: finish(position, isRemoval ? .failed(.notLeader) : .done)
        case .timedOut, .refused:
            if isRemoval {
                // Then without: the core hands over as it leaves.
                items[position].triedTransfer = true
                items[position].stage = .waiting
            } else {
                finish(position, .failed(Self.failure(of: outcome)))
            }
        }
    }

    private static func failure(of outcome: TransferOutcome) -> Failure {
        switch outcome {
        case .steppedDown: .notLeader
        case .timedOut(let target): .tryAgain("node \(target) did not take over within an election timeout")
        case .refused(let sentence): .refused(sentence)
        }
    }

    mutating func expire(at now: MonotonicTime) {
        while let position = items.firstIndex(where: { $0.deadline <= now }) {
            let failure: Failure =
                switch items[position].stage {
                case .waiting: .tryAgain("another change, or a transfer of leadership, is under way")
                case .transferring: .tryAgain("the transfer of leadership has not ended")
                case .proposed, .committed: .inDoubt
                }
            finish(position, .failed(failure))
        }
    }

    /// This node does not lead. What waits is another's to do, and what was committed is another's to settle: asking
    /// again finds it done, except where room was made, which would then be taken.
    mutating func leadershipLost() {
        // Nobody waits for these, and their proposals need not come to an end before this node leads again.
        items.removeAll { $0.ticket == 0 }
        while let position = items.firstIndex(where: { $0.stage.isForLeaders }) {
            let failure: Failure =
                switch (items[position].stage, items[position].wish) {
                case (.waiting, _): .notLeader
                case (_, .reserve): .inDoubt
                default: .tryAgain("the change is in the log, but leadership was lost before it was sure to last")
                }
            finish(position, .failed(failure))
        }
    }

    /// The end of the process: nobody may wait for ever.
    mutating func abandonAll() {
        while let item = items.first {
            finish(items.startIndex, .failed(item.stage == .waiting ? .notLeader : .inDoubt))
        }
    }

    private mutating func finish(_ position: Int, _ answer: Answer) {
        let item = items.remove(at: position)
        if item.ticket != 0 { answers.append((item.ticket, answer)) }
    }

    private func position(of stage: Stage) -> Int? { items.firstIndex { $0.stage == stage } }

    // MARK: - Decisions

    private enum Decision {
        case answer(Answer)
        case change(MembershipChange, member: NodeID?)
        case transfer(to: NodeID?)
    }

    private func decide(_ item: Item, _ view: DeskView) -> Decision {
        switch item.wish {
        case .reserve(let peer, let id, let staysLearner):
            var entry = ClusterDirectory.Member(peer: peer)
            entry.staysLearner = staysLearner
            return admission(of: entry, wanted: id, inPlaceOf: nil, view)
        case .join(let joiner): return admission(of: joiner, view)
        case .promote(let node): return promotion(of: node, view)
        case .promoteCaughtUp(let node):
            let isStandby = view.directory[node]?.staysLearner ?? false
            guard view.membership.learners.contains(node), !isStandby else { return .answer(.done) }
            return .change(MembershipChange([.addVoter(node)]), member: nil)
        case .remove(let node): return removal(of: node, view, triedTransfer: item.triedTransfer)
        case .transfer(let target): return target == view.node ? .answer(.done) : .transfer(to: target)
        }
    }

    private func admission(of joiner: Joiner, _ view: DeskView) -> Decision {
        let members = view.membership.all
        if let known = members.first(where: { view.directory[$0]?.incarnation == joiner.incarnation }) {
            return .answer(.member(known))
        }
        var entry = ClusterDirectory.Member(peer: joiner.peer)
        (entry.redis, entry.http, entry.incarnation) = (joiner.redis, joiner.http, joiner.incarnation)
        // Room that an operator made for this address before.
        let reserved = view.membership.learners.first { node in
            view.directory[node].map { $0.peer == joiner.peer && $0.incarnation == 0 } ?? false
        }
        if let reserved, joiner.wantedID == nil || joiner.wantedID == reserved {
            entry.staysLearner = view.directory[reserved]?.staysLearner ?? false
            return .change(
                MembershipChange([.addLearner(reserved)], context: view.update(setting: entry, of: reserved)),
                member: reserved)
        }
        // A learner that got its id and died before it had a directory: it never comes back, and never counted.
        let lost = view.membership.learners.first { view.peerAddress(of: $0) == joiner.peer }
        if let lost, view.lag[lost] != nil {
            return .answer(.failed(.tryAgain("node \(lost), which has this address, was heard a moment ago")))
        }
        return admission(of: entry, wanted: joiner.wantedID, inPlaceOf: lost, view)
    }

    /// - Parameter lost: leaves with the same change.
    private func admission(
        of entry: ClusterDirectory.Member, wanted: NodeID?, inPlaceOf lost: NodeID?, _ view: DeskView
    ) -> Decision {
        let others = view.membership.all.filter { $0 != lost }
        if let owner = others.first(where: { view.peerAddress(of: $0) == entry.peer }) {
            return .answer(
                .failed(
                    .refused(
                        "the address \(entry.peer) belongs to node \(owner); if that node is gone for good, remove it "
                            + "first: roostctl member remove \(owner)")))
        }
        let next = NodeID(view.directory.highestID.rawValue + 1)
        if let wanted, wanted < next {
            return .answer(.failed(.refused("node ids are never used again, and \(wanted) was; take \(next) or above")))
        }
        let node = wanted ?? next
        let steps = (lost.map { [.remove($0)] } ?? []) + [MembershipChange.Step.addLearner(node)]
        return .change(MembershipChange(steps, context: view.update(setting: entry, of: node)), member: node)
    }

    private func promotion(of node: NodeID, _ view: DeskView) -> Decision {
        if view.membership.voters.contains(node) { return .answer(.done) }
        guard view.membership.learners.contains(node) else { return .answer(.failed(.refused(view.stranger(node)))) }
        guard let lag = view.lag[node] else {
            return .answer(.failed(.tryAgain("node \(node) was not heard lately, so it would only hold commits up")))
        }
        guard lag <= DeskView.tolerableLag else {
            return .answer(.failed(.tryAgain("node \(node) is still \(lag) entries behind")))
        }
        return .change(MembershipChange([.addVoter(node)]), member: nil)
    }

    private func removal(of node: NodeID, _ view: DeskView, triedTransfer: Bool) -> Decision {
        guard view.membership.contains(node) else {
            // Asked again after the answer was lost.
            let wasMember = node <= view.directory.highestID
            return .answer(wasMember ? .done : .failed(.refused(view.stranger(node))))
        }
        if let sentence = view.objection(toLosing: node) { return .answer(.failed(.refused(sentence))) }
        if node == view.node, !triedTransfer { return .transfer(to: nil) }
        return .change(MembershipChange([.remove(node)]), member: nil)
    }
}
