import ByteCoding
import Raft

extension Scenario {
    mutating func set(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        guard line.hasOptions else { throw line.failure("a setting", found: "none") }
        for (key, value) in line.allOptions() { configure.append(try setting(key, value, line)) }
    }

    private func setting(
        _ key: String, _ value: String, _ line: ScenarioLine
    ) throws(ScenarioFailure) -> (inout Configuration) -> Void {
        switch key {
        case "algorithm":
            guard value == "paper" else { throw line.failure("algorithm=paper", found: "\"\(value)\"") }
            return plain
        case "pre-vote": return set(\.preVote, try line.isOn(value))
        case "check-quorum": return set(\.checkQuorum, try line.isOn(value))
        case "lease-reads": return set(\.leaseReads, try line.isOn(value))
        case "election-timeout": return set(\.electionTimeout, try line.duration(value))
        case "heartbeat-interval": return set(\.heartbeatInterval, try line.duration(value))
        case "disk-stall-limit": return set(\.diskStallLimit, try line.duration(value))
        default: return set(try limit(key, line), Int(try line.number(value, "\(key)=NUMBER")))
        }
    }

    private func limit(
        _ key: String, _ line: ScenarioLine
    ) throws(ScenarioFailure) -> WritableKeyPath<Configuration, Int> {
        switch key {
        case "max-append-bytes": \.maxAppendBytes
        case "max-inflight-messages": \.maxInflightMessages
        case "max-inflight-bytes": \.maxInflightBytes
        case "max-uncommitted-bytes": \.maxUncommittedBytes
        case "max-apply-bytes": \.maxApplyBytes
        case "entry-cache-bytes": \.entryCacheBytes
        case "max-retained-entries": \.maxRetainedEntries
        case "max-retained-bytes": \.maxRetainedBytes
        default: throw line.failure("a setting", found: "\"\(key)=\"")
        }
    }

    private func set<Value>(
        _ path: WritableKeyPath<Configuration, Value>, _ value: Value
    ) -> (inout Configuration) -> Void {
        { $0[keyPath: path] = value }
    }

    /// Without options the nodes of the line are the voters of a group that starts for the first time.
    mutating func startNodes(_ line: inout ScenarioLine) throws(ScenarioFailure) {
        let nodes = try line.nodes()
        guard !nodes.isEmpty else { throw line.failure("nodes", found: "none") }
        let restored = try restoredState(&line, founders: nodes)
        for node in nodes {
            guard cluster.position(of: node) == nil else { throw line.failure("a new node", found: "node \(node)") }
            let settings = configure
            cluster.add(node, restored: restored) { configuration in
                for setting in settings { setting(&configuration) }
            }
        }
    }

    private func restoredState(
        _ line: inout ScenarioLine, founders: [NodeID]
    ) throws(ScenarioFailure) -> RestoredState {
        let learners = try line.copyOfNodes("learners")
        let membership = try line.membership(voters: founders.filter { !learners.contains($0) })
        let terms = try line.listOption("log") ?? []
        var restored = RestoredState.log(
            terms: terms, term: try line.numberOption("term"), vote: try line.numberOption("vote").map { NodeID($0) },
            commit: LogIndex(try line.numberOption("commit") ?? 0))
        restored.membership = membership
        return restored
    }
}

extension ScenarioLine {
    /// The option's value, which stays on the line.
    fileprivate func copyOfNodes(_ key: String) throws(ScenarioFailure) -> [NodeID] {
        var copy = self
        return try copy.nodesOption(key) ?? []
    }
}
