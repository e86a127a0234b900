import ByteCoding
import Raft

extension Scenario {
    mutating func execute(_ command: String, _ line: inout ScenarioLine) throws(ScenarioFailure) {
        switch command {
        case "expect": try expect(&line)
        case "set": try set(&line)
        case "nodes": try startNodes(&line)
        case "campaign": try fire(&line, as: [.follower, .preCandidate, .candidate])
        case "heartbeat": try fire(&line, as: [.leader])
        case "fire": try fire(&line, as: RoleKind.all)
        case "pass": try pass(&line)
        case "run": cluster.run(for: try line.duration(try line.word("a duration")))
        case "propose": try propose(&line)
        case "change": try change(&line)
        case "leave": try leave(&line)
        case "transfer": try transfer(&line)
        case "read": try read(&line)
        case "deliver": try deliver(&line)
        case "drop": try drop(&line)
        case "settle": try settle(&line)
        case "lose": try lose(&line)
        case "hold": try hold(&line, true)
        case "release": try hold(&line, false)
        case "sync": try finishHeld(&line) { $0.sync($1) }
        case "apply": try finishHeld(&line) { $0.applyAll($1) }
        case "install": cluster.with(try present(&line)) { $0.install() }
        case "send-snapshot": cluster.sendSnapshot(from: try present(&line), to: try present(&line))
        case "deliver-snapshot": cluster.deliverSnapshot(try snapshotPlace(&line))
        case "lose-snapshot": cluster.loseSnapshot(try snapshotPlace(&line))
        case "compact": try compact(&line)
        case "disk-full": try fillDisk(&line)
        case "isolate": cluster.isolate(try present(&line))
        case "cut": cluster.cutLink(try present(&line), try present(&line))
        case "heal": cluster.heal()
        case "crash": cluster.crash(try present(&line))
        case "restart": try restart(&line)
        case "unreachable": try unreachable(&line)
        case "leader-lost": try loseLeader(&line)
        default: throw line.failure("a command", found: "\"\(command)\"")
        }
    }

    /// A node that was started.
    func present(_ line: inout ScenarioLine) throws(ScenarioFailure) -> NodeID {
        let node = try line.node()
        guard cluster.position(of: node) != nil else { throw line.failure("a node", found: "no node \(node)") }
        return node
    }

    // MARK: Time

    private mutating func fire(_ line: inout ScenarioLine, as roles: [RoleKind]) throws(ScenarioFailure) {
        let node = try present(&line)
        guard roles.contains(cluster[node].core.role) else {
            throw line.failure("a node in another role", found: cluster[node].core.role.rawValue)
        }
        cluster.fire(node)
    }

    private mutating func pass(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let duration = try line.duration(try line.word("a duration"))
        guard line.hasWords else { return cluster.pass(duration) }
        while line.hasWords { cluster.leap(try present(&line), by: duration) }
    }

    // MARK: Requests

    private mutating func propose(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        repeat {
            let name = try line.word("what to propose")
            let proposal = Proposal(token: newProposal(name), payload: Bytes(name))
            checker.proposing(proposal.payload, token: proposal.token)
            cluster.give(node, .proposed([proposal]))
        } while line.hasWords
    }

    private mutating func change(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        let transition = try line.transition()
        let name = try line.option("as") ?? "change"
        propose(MembershipChange(try line.steps(), transition: transition), as: name, at: node)
    }

    private mutating func leave(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        propose(.leaveJoint, as: try line.option("as") ?? "leave", at: node)
    }

    private mutating func propose(_ change: MembershipChange, as name: String, at node: NodeID) {
        let token = newProposal(name)
        checker.proposing(nil, token: token)
        cluster.give(node, .membershipChangeProposed(token, change))
    }

    private mutating func transfer(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        cluster.transfer(node, to: line.hasWords ? try line.node() : nil)
    }

    private mutating func read(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        cluster.give(node, .readIndexRequested(newRead(try line.word("a name for the read"), at: node)))
    }

    // MARK: Network

    private mutating func deliver(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let filter = try MessageFilter(&line)
        if cluster.deliver(where: filter.fits) == 0 { throw line.failure("such a message", found: underWay) }
    }

    private mutating func drop(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let filter = try MessageFilter(&line)
        if cluster.drop(where: filter.fits) == 0 { throw line.failure("such a message", found: underWay) }
    }

    private mutating func settle(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let some = try line.nodes()
        cluster.settle(between: some.isEmpty ? nil : some)
    }

    private mutating func lose(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        if line.words == ["nothing"] {
            _ = try line.word("nothing")
            cluster.loses = { _ in false }
        } else {
            let (filter, known) = (try MessageFilter(&line), cluster.loses)
            cluster.loses = { known($0) || filter.fits($0) }
        }
    }

    var underWay: String {
        cluster.network.isEmpty ? "nothing under way" : cluster.network.map(\.summary).joined(separator: ", ")
    }

    // MARK: Disks and state machines

    private mutating func hold(_ line: inout ScenarioLine, _ isHeld: Bool) throws(ScenarioFailure) {
        let what = try line.word("disk, apply, install or snapshots")
        guard what != "snapshots" else { return cluster.deliversSnapshots = !isHeld }
        guard line.hasWords else { throw line.failure("nodes", found: "none") }
        while line.hasWords {
            let node = try present(&line)
            switch what {
            case "disk":
                cluster.with(node) {
                    $0.syncsAtOnce = !isHeld; $0.give()
                }
            case "apply":
                cluster.with(node) {
                    $0.appliesAtOnce = !isHeld; $0.give(); if !isHeld { $0.applyAll() }
                }
            case "install":
                cluster.with(node) {
                    $0.installsAtOnce = !isHeld; if !isHeld { $0.install() }
                }
            default: throw line.failure("disk, apply, install or snapshots", found: "\"\(what)\"")
            }
        }
    }

    private mutating func finishHeld(
        _ line: inout ScenarioLine, _ finish: (inout TestNode, Int) -> Void
    ) throws(ScenarioFailure) {
        let node = try present(&line)
        let count = line.hasWords ? Int(try line.count("how many")) : .max
        cluster.with(node) { finish(&$0, count) }
    }

    private func snapshotPlace(_ line: inout ScenarioLine) throws(ScenarioFailure) -> Int {
        let node = try present(&line)
        guard let place = cluster.snapshots.firstIndex(where: { $0.to == node }) else {
            throw line.failure("a snapshot under way to node \(node)", found: "none")
        }
        return place
    }

    private mutating func compact(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        let index = LogIndex(try line.count("an index"))
        guard cluster[node].disk.entry(at: index) != nil else {
            throw line.failure("an entry \(index) on node \(node)", found: "entries to \(cluster[node].disk.lastIndex)")
        }
        cluster.with(node) { $0.compact(through: index) }
    }

    private mutating func fillDisk(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        cluster.give(node, .diskFull(try line.isOn(try line.word("on or off"))))
    }

    // MARK: Nodes and links

    private mutating func restart(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        cluster.restart(node, applied: try line.numberOption("applied").map { LogIndex($0) })
    }

    private mutating func unreachable(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        cluster.give(node, .unreachable(try line.node()))
    }

    private mutating func loseLeader(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let node = try present(&line)
        cluster.give(node, .leaderLost(cluster[node].core.leader ?? 0))
    }
}

extension RoleKind {
    fileprivate static let all: [RoleKind] = [.follower, .preCandidate, .candidate, .leader]
}
