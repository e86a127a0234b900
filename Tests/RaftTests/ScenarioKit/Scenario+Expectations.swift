import ByteCoding
import Testing

@testable import Raft

/// What a script can expect.
///
/// | `expect ...` | |
/// |---|---|
/// | `N KEY=VALUE...` | of node N; see `property(_:of:)` |
/// | `N peer P KEY=VALUE...`, `N peer P gone` | what leader N knows of P: `mode`, `match`, `next`, `inflight`, `active`, `learner` |
/// | `leaders 1,2` | of all nodes that run; `none` |
/// | `messages COUNT FILTER` | so many of those under way |
/// | `quiet` | no message and no snapshot is under way |
/// | `snapshots COUNT` | so many are under way |
/// | `proposal NAME WORDS...` | `open`, `accepted T/I`, `committed T/I`, `lost`, `unknown`, `refused REASON`; a beginning is enough |
/// | `read NAME WORDS...` | `open`, `failed`, `ready INDEX` |
/// | `same N...` | they have the same log end, commit, applied index, membership and state |
extension Scenario {
    mutating func expect(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let subject = try line.word("what is expected")
        switch subject {
        case "leaders": try compare(line, cluster.leaders.joined, with: try line.word("nodes"), "leaders")
        case "messages": try expectMessages(&line)
        case "quiet": try expectQuiet(line)
        case "snapshots":
            try compare(line, "\(cluster.snapshots.count)", with: try line.word("a number"), "snapshots")
        case "proposal", "read": try expectOutcome(&line)
        case "same": try expectSame(&line)
        default: try expectNode(NodeID(try line.number(subject, "something to expect")), &line)
        }
    }

    private func compare(
        _ line: ScenarioLine, _ found: String, with expected: String, _ what: String
    ) throws(ScenarioFailure) {
        if found != expected { throw line.failure("\(what) \(expected)", found: found) }
    }

    // MARK: The network

    private func expectMessages(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let count = try line.count("how many")
        let filter = try MessageFilter(&line)
        let found = cluster.network.filter(filter.fits).count
        if UInt64(found) != count { throw line.failure("\(count) such messages", found: "\(found): \(underWay)") }
    }

    private func expectQuiet(_ line: ScenarioLine) throws(ScenarioFailure) {
        guard cluster.network.isEmpty, cluster.snapshots.isEmpty else {
            throw line.failure("quiet", found: "\(underWay), \(cluster.snapshots.count) snapshots")
        }
    }

    // MARK: Outcomes

    private func expectOutcome(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let name = try line.word("a name")
        guard let found = outcomes[name] else { throw line.failure("a name", found: "\"\(name)\"") }
        let words = line.allWords()
        guard !words.isEmpty else { throw line.failure("an outcome", found: "none") }
        guard found.split(separator: " ").map(String.init).starts(with: words) else {
            throw line.failure("\(name) \(words.joined(separator: " "))", found: found)
        }
    }

    // MARK: Nodes

    private func expectSame(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        var first: String?
        while line.hasWords {
            let node = cluster[try present(&line)]
            let core = node.core
            let picture = """
                last \(core.log.last) commit \(core.commitIndex) applied \(core.appliedIndex) \
                \(core.membership.summary) state \(cluster.state(of: node.id))
                """
            if let first, first != picture { throw line.failure("node \(node.id) with \(first)", found: picture) }
            first = picture
        }
    }

    private mutating func expectNode(_ id: NodeID, _ line: inout ScenarioLine) throws(ScenarioFailure) {
        guard cluster.position(of: id) != nil else { throw line.failure("a node", found: "no node \(id)") }
        if line.words.first == "peer" { return try expectPeer(of: id, &line) }
        guard line.hasOptions else { throw line.failure("something about node \(id)", found: "nothing") }
        for (key, value) in line.allOptions() {
            guard let found = property(key, of: cluster[id]) else {
                throw line.failure("a property of a node", found: "\"\(key)=\"")
            }
            try compare(line, found, with: value, "\(key)")
            if key == "complaint" { acknowledgeComplaint(of: id) }
        }
    }

    /// - Returns: `nil` when nodes have no such property.
    private func property(_ key: String, of node: TestNode) -> String? {
        let core = node.core
        switch key {
        case "role": return core.role.rawValue
        case "term": return "\(core.term)"
        case "vote": return core.hardState.vote?.description ?? "none"
        case "leader": return core.leader?.description ?? "none"
        case "commit": return "\(core.commitIndex)"
        case "applied": return "\(core.appliedIndex)"
        case "durable": return "\(core.status.durableIndex)"
        case "first": return "\(core.status.firstIndex)"
        case "last": return "\(core.lastIndex)"
        case "truncatable": return "\(core.truncatableIndex)"
        case "log": return terms(of: core)
        case "disk": return list(node.disk.entries.map { "\($0.term)" })
        case "disk-term": return "\(node.disk.hardState.term)"
        case "state": return list(cluster.state(of: node.id))
        case "voters": return core.membership.voters.joined
        case "outgoing": return core.membership.outgoing.joined
        case "learners": return core.membership.learners.joined
        case "learners-next": return core.membership.learnersNext.joined
        case "leaves": return core.membership.leavesAutomatically ? "on" : "off"
        case "transfer": return core.transferTarget?.description ?? "none"
        case "transfer-ended": return transferOutcomes[node.id]?.word ?? "no"
        case "caught-up": return (caughtUp[node.id] ?? []).joined
        case "installs": return "\(node.installs)"
        case "unsynced": return "\(node.unsynced.count)"
        case "unapplied": return "\(node.unapplied.count)"
        case "complaint": return complaints[node.id] ?? "none"
        default: return nil
        }
    }

    private func terms(of core: RaftCore) -> String {
        let first = core.log.base.index.rawValue + 1
        guard first <= core.lastIndex.rawValue else { return "none" }
        return list((first...core.lastIndex.rawValue).map { "\(core.log.term(at: LogIndex($0))!)" })
    }

    private func list(_ parts: [String]) -> String { parts.isEmpty ? "none" : parts.joined(separator: ",") }

    private func expectPeer(of id: NodeID, _ line: inout ScenarioLine) throws(ScenarioFailure) {
        _ = try line.word("peer")
        let peer = try line.node()
        let found = cluster[id].status.peers.first { $0.node == peer }
        if line.words == ["gone"] {
            _ = try line.word("gone")
            if found != nil { throw line.failure("no peer \(peer)", found: "one") }
            return
        }
        guard let found else { throw line.failure("a peer \(peer) of node \(id)", found: "none") }
        guard line.hasOptions else { throw line.failure("something about peer \(peer)", found: "nothing") }
        for (key, value) in line.allOptions() {
            guard let property = property(key, of: found) else {
                throw line.failure("a property of a peer", found: "\"\(key)=\"")
            }
            try compare(line, property, with: value, key)
        }
    }

    private func property(_ key: String, of peer: Status.Peer) -> String? {
        switch key {
        case "mode": peer.mode.rawValue
        case "match": "\(peer.matchIndex)"
        case "next": "\(peer.nextIndex)"
        case "inflight": "\(peer.inflightMessages)"
        case "active": peer.isActive ? "yes" : "no"
        case "learner": peer.isLearner ? "yes" : "no"
        default: nil
        }
    }
}

extension TransferOutcome {
    fileprivate var word: String {
        switch self {
        case .steppedDown: "stepped-down"
        case .timedOut: "timed-out"
        case .refused: "refused"
        }
    }
}
