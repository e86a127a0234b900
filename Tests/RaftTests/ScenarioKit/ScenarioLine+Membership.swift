import Raft

/// Membership changes as words: `voter:4 learner:5 remove:1 transition=joint`.
extension ScenarioLine {
    /// All words that are left.
    mutating func steps() throws(ScenarioFailure) -> [MembershipChange.Step] {
        var steps: [MembershipChange.Step] = []
        for word in allWords() {
            let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw failure("a step like voter:4", found: "\"\(word)\"") }
            let node = NodeID(try number(parts[1], "a node"))
            switch parts[0] {
            case "voter": steps.append(.addVoter(node))
            case "learner": steps.append(.addLearner(node))
            case "remove": steps.append(.remove(node))
            default: throw failure("voter, learner or remove", found: "\"\(parts[0])\"")
            }
        }
        return steps
    }

    mutating func transition() throws(ScenarioFailure) -> MembershipChange.Transition {
        switch try option("transition") {
        case nil, "automatic": return .automatic
        case "joint": return .jointImplicit
        case "explicit": return .jointExplicit
        case let other?: throw failure("automatic, joint or explicit", found: "\"\(other)\"")
        }
    }

    /// `voters=1,2 learners=3 outgoing=1 learners-next=1 leaves=on`
    mutating func membership(voters founders: [NodeID]) throws(ScenarioFailure) -> Membership {
        Membership(
            voters: try nodesOption("voters") ?? founders, learners: try nodesOption("learners") ?? [],
            outgoing: try nodesOption("outgoing") ?? [], learnersNext: try nodesOption("learners-next") ?? [],
            leavesAutomatically: try option("leaves").map { text throws(ScenarioFailure) in try isOn(text) } ?? false)
    }
}

extension Membership {
    /// `voters=2,3 outgoing=1 learners=4 learners-next=1 leaves=on`, without what is empty.
    var summary: String {
        var parts = ["voters=\(voters.joined)"]
        if isJoint { parts.append("outgoing=\(outgoing.joined)") }
        if !learners.isEmpty { parts.append("learners=\(learners.joined)") }
        if !learnersNext.isEmpty { parts.append("learners-next=\(learnersNext.joined)") }
        if leavesAutomatically { parts.append("leaves=on") }
        return parts.joined(separator: " ")
    }
}

extension [NodeID] {
    /// `1,2,3`, or `none`.
    var joined: String { isEmpty ? "none" : map(\.description).joined(separator: ",") }
}
