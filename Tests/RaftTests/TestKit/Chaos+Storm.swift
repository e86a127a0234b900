import ByteCoding

@testable import Raft

/// What a storm does.
extension Chaos {
    mutating func act() {
        let place = Int(random.next(below: UInt64(nodes.count)))
        switch random.next(below: 120) {
        case 0..<40: for _ in 0...random.next(below: 6) { deliverOne() }
        case 40..<54: for place in nodes.indices where random.next(below: 2) == 0 { sync(place) }
        case 54..<62: for place in nodes.indices where random.next(below: 2) == 0 { apply(place) }
        case 62..<75: pass(random.next(below: .milliseconds(20)))
        case 75..<86: propose(at: anyLeaderPlace ?? place)
        case 86..<89: ask(at: place)
        case 89: hurry(place)
        case 90: crash(place)
        case 91..<94: if !nodes[place].isUp { restart(place) }
        case 94: if nodes[place].isUp { compact(place) }
        case 95: disturb(place)
        case 96: if random.next(below: 2) == 0 { cutSome() } else { overthrow(place) }
        case 97: cut = []
        case 98..<101: moveSnapshot()
        case 101..<105: install(place)
        case 105..<108: change(at: anyLeaderPlace ?? place)
        case 108, 109: handOver(at: anyLeaderPlace ?? place)
        case 110: cut = []
        case 111: if faults.diskFull { fill(place, random.next(below: 3) == 0) }
        case 112..<115: compact(anyLeaderPlace ?? place)
        default: deliverMany()
        }
        if random.next(below: 16) == 0 { checker.checkLogs(nodes.map(\.test)) }
    }

    // MARK: Network

    /// Mostly one of the oldest, or nothing would ever get through.
    private mutating func deliverOne() {
        guard !network.isEmpty else { return }
        let reach = random.next(below: 4) == 0 ? network.count : min(network.count, 3)
        let place = Int(random.next(below: UInt64(reach)))
        let message = network[place]
        switch random.next(below: 25) {
        case 0: network.remove(at: place)
        case 1: deliver(message)  // And it comes again.
        default:
            network.remove(at: place)
            deliver(message)
        }
    }

    /// In order, several to a drain.
    mutating func deliverMany() {
        let all = network
        network = []
        for place in nodes.indices where nodes[place].isUp {
            let mine = all.filter { $0.to == nodes[place].test.id && !isCut($0.from, $0.to) }
            with(place) { $0.give(mine.map { .received($0) }) }
        }
    }

    private mutating func deliver(_ message: Message) {
        guard !isCut(message.from, message.to) else { return }
        with(place(of: message.to)) { $0.give(.received(message)) }
    }

    func isCut(_ from: NodeID, _ to: NodeID) -> Bool { cut.contains([from, to]) }

    private mutating func cutSome() {
        let a = nodes[Int(random.next(below: UInt64(nodes.count)))].test.id
        for other in nodes where random.next(below: 2) == 0 {
            cut.insert([a, other.test.id])
            if random.next(below: 2) == 0 { cut.insert([other.test.id, a]) }
        }
    }

    // MARK: Disks, state machines and clocks

    private mutating func sync(_ place: Int) {
        let count = 1 + Int(random.next(below: 3))
        with(place) { $0.sync(count) }
    }

    private mutating func apply(_ place: Int) {
        with(place) { $0.applyAll() }
        if random.next(below: 3) == 0 { nodes[place].durableApplied = nodes[place].test.core.appliedIndex }
    }

    private mutating func fill(_ place: Int, _ isFull: Bool) { with(place) { $0.give(.diskFull(isFull)) } }

    mutating func pass(_ duration: Duration) {
        now = now.advanced(by: duration)
        for place in nodes.indices where nodes[place].isUp {
            if nodes[place].test.core.nextDeadline <= now.advanced(by: nodes[place].lead) {
                with(place) { $0.give(.timeAdvanced) }
            }
        }
    }

    /// One clock leaps: its node campaigns while the others still hear their leader.
    private mutating func hurry(_ place: Int) {
        guard faults.leapingClocks else { return }
        nodes[place].lead = nodes[place].lead + .milliseconds(200)
        with(place) { $0.give(.timeAdvanced) }
    }

    // MARK: Nodes

    /// Some of what was under way to the disk may have reached it, in order; the report never comes.
    private mutating func crash(_ place: Int) {
        guard nodes[place].isUp else { return }
        let survivors = nodes.count(where: \.isUp)
        guard survivors > nodes.count / 2 || random.next(below: 4) == 0 else { return }
        stop(place)
        if random.next(below: 2) == 0 { nodes[place].test.tearOff(keeping: Int(random.next(below: 3))) }
    }

    mutating func stop(_ place: Int) {
        note("crash \(place)")
        nodes[place].isUp = false
    }

    mutating func restart(_ place: Int) {
        let old = nodes[place]
        let oldest = old.test.disk.truncated.index
        let newest = max(old.durableApplied, oldest)
        let applied = LogIndex(oldest.rawValue + random.next(below: newest.distance(from: oldest) + 1))
        tally.restarts += 1
        nodes[place] = Node(
            test: start(old.test.id, restored: old.test.disk.restored(applied: applied), disk: old.test.disk),
            incarnation: old.incarnation + 1, lead: old.lead, durableApplied: applied)
        collect(place)
    }

    private mutating func disturb(_ place: Int) {
        let other = nodes[Int(random.next(below: UInt64(nodes.count)))].test.id
        let input: Input = random.next(below: 2) == 0 ? .unreachable(other) : .leaderLost(other)
        with(place) { $0.give(input) }
    }

    /// The leader is cut off with proposals that only it holds, while another node campaigns.
    private mutating func overthrow(_ successor: Int) {
        guard let leader = leaderPlace, leader != successor else { return }
        for other in nodes {
            cut.insert([nodes[leader].test.id, other.test.id])
            cut.insert([other.test.id, nodes[leader].test.id])
        }
        propose(at: leader)
        pass(.milliseconds(101))
        hurry(successor)
    }

    // MARK: Requests

    mutating func propose(at place: Int) {
        guard nodes[place].isUp else { return }
        let batch = (0...random.next(below: 3)).map { _ in
            tokens += 1
            return Proposal(token: ProposalToken(tokens), payload: Bytes("\(tokens)"))
        }
        for proposal in batch { checker.proposing(proposal.payload, token: proposal.token) }
        with(place) { $0.give(.proposed(batch)) }
    }

    private mutating func ask(at place: Int) {
        guard nodes[place].isUp else { return }
        tokens += 1
        let token = ReadToken(incarnation: nodes[place].incarnation, count: tokens)
        nodes[place].ledger.reads[token] = checker.lastCommitted
        with(place) { $0.give(.readIndexRequested(token)) }
    }

    private mutating func change(at place: Int) {
        guard faults.changesMembership, nodes[place].isUp else { return }
        let membership = nodes[place].test.core.membership
        var change = MembershipChange.leaveJoint
        if !membership.isJoint || random.next(below: 4) == 0 {
            let transitions: [MembershipChange.Transition] = [.automatic, .automatic, .jointImplicit, .jointExplicit]
            change = MembershipChange(drawSteps(), transition: transitions[Int(random.next(below: 4))])
            // Two voters at least, or the storm soon is over; and now and then what must be refused.
            let voters = (try? membership.applying(change))?.voters.count ?? 0
            guard voters > 1 || random.next(below: 8) == 0 else { return }
        }
        tokens += 1
        let token = ProposalToken(tokens)
        checker.proposing(nil, token: token)
        with(place) { $0.give(.membershipChangeProposed(token, change)) }
    }

    private mutating func drawSteps() -> [MembershipChange.Step] {
        (0...(random.next(below: 4) == 0 ? 2 : 0)).map { _ in
            let node = NodeID(1 + random.next(below: UInt64(nodes.count)))
            switch random.next(below: 5) {
            case 0, 1: return .addVoter(node)
            case 2, 3: return .addLearner(node)
            default: return .remove(node)
            }
        }
    }

    private mutating func handOver(at place: Int) {
        guard faults.transfers else { return }
        let target = random.next(below: 2) == 0 ? nil : NodeID(1 + random.next(below: UInt64(nodes.count)))
        with(place) { $0.give(.transferRequested(to: target)) }
        if random.next(below: 4) == 0 { deliverMany() }
    }

    // MARK: Logs cut short, and snapshots

    private mutating func compact(_ place: Int) {
        let node = nodes[place]
        var limit = min(node.durableApplied, node.test.core.appliedIndex)
        if !faults.cutsEarly { limit = min(limit, node.test.core.truncatableIndex) }
        guard limit > node.test.disk.truncated.index, node.test.openInstall == nil else { return }
        if !faults.cutsEarly, !faults.changesMembership, configuration.maxRetainedEntries > 1000 {
            checker.checkTruncation(through: limit, nodes.map(\.test))
        }
        with(place) { $0.compact(through: limit) }
    }

    /// Snapshots arrive whole, twice, late or never.
    private mutating func moveSnapshot() {
        guard !snapshots.isEmpty else { return }
        let place = Int(random.next(below: UInt64(snapshots.count)))
        switch random.next(below: 8) {
        case 0: endSnapshot(snapshots.remove(at: place), .failed)
        case 1: deliverSnapshot(snapshots[place])
        default: deliverSnapshot(snapshots.remove(at: place))
        }
    }

    mutating func deliverSnapshot(_ underWay: SnapshotUnderWay) {
        let receiver = place(of: underWay.to)
        guard nodes[receiver].isUp, !isCut(underWay.from, underWay.to) else { return endSnapshot(underWay, .failed) }
        with(receiver) { $0.receive(underWay.snapshot, from: underWay.from, term: underWay.term) }
        endSnapshot(underWay, .delivered(underWay.snapshot.meta.index))
    }

    private mutating func endSnapshot(_ underWay: SnapshotUnderWay, _ report: SnapshotReport) {
        with(place(of: underWay.from)) { $0.give(.snapshotReported(to: underWay.to, report)) }
    }

    mutating func install(_ place: Int) {
        let before = nodes[place].test.installs
        with(place) { $0.install() }
        guard nodes[place].test.installs > before else { return }
        tally.installs += 1
        nodes[place].durableApplied = nodes[place].test.disk.truncated.index
    }
}
