@testable import Raft

/// Plays a table of quorum decisions, one case a line:
/// `voters=1,2 outgoing=2,3 reached=7,-,9 commits=0` or `voters=1,2 votes=y,- outcome=pending`.
///
/// Each case is also compared with the definition, tried over all subsets of the voters, and with the same case whose
/// halves have changed places.
struct QuorumTable {
    private let membership: Membership
    private let line: ScenarioLine

    static func play(_ text: String, file: String) throws(ScenarioFailure) {
        let lines = ScenarioLine.all(of: text, file: file)
        guard !lines.isEmpty else {
            throw ScenarioFailure(file: file, line: 1, expected: "a table with cases", found: "none")
        }
        for line in lines { try play(line) }
    }

    private static func play(_ line: ScenarioLine) throws(ScenarioFailure) {
        var line = line
        let membership = Membership(
            voters: try line.nodesOption("voters") ?? [], outgoing: try line.nodesOption("outgoing") ?? [])
        let table = QuorumTable(membership: membership, line: line)
        if let reached = try line.option("reached"), let commits = try line.numberOption("commits") {
            try table.checkCommit(reached, commits)
        } else if let votes = try line.option("votes"), let outcome = try line.option("outcome") {
            try table.checkVote(votes, outcome)
        } else {
            throw line.failure("reached= and commits=, or votes= and outcome=", found: line.text)
        }
        try line.finish()
    }

    // MARK: Commit

    private func checkCommit(_ text: String, _ expected: UInt64) throws(ScenarioFailure) {
        var reached: [NodeID: UInt64] = [:]
        for (node, value) in try values(text) where value != "-" {
            reached[node] = try line.number(value, "a number or -")
        }
        for membership in bothWays {
            let found = Quorum.reached(in: membership) { reached[$0] ?? 0 }
            if found != expected { throw line.failure("\(expected) committed", found: "\(found)") }
        }
        let defined =
            Set(reached.values).filter { value in
                isQuorum(membership.all.filter { (reached[$0] ?? 0) >= value })
            }.max() ?? 0
        if defined != expected {
            throw line.failure("the table to say \(defined), by definition", found: "\(expected)")
        }
    }

    // MARK: Votes

    private func checkVote(_ text: String, _ expected: String) throws(ScenarioFailure) {
        var votes: [NodeID: Bool] = [:]
        for (node, value) in try values(text) {
            switch value {
            case "y": votes[node] = true
            case "n": votes[node] = false
            case "-": break
            default: throw line.failure("y, n or -", found: "\"\(value)\"")
            }
        }
        for membership in bothWays {
            let found = "\(Quorum.outcome(in: membership) { votes[$0] })"
            if found != expected { throw line.failure(expected, found: found) }
        }
        let defined = isWon(votes) ? "won" : canBeWon(votes) ? "pending" : "lost"
        if defined != expected { throw line.failure("the table to say \(defined), by definition", found: expected) }
    }

    private func isWon(_ votes: [NodeID: Bool]) -> Bool { isQuorum(membership.all.filter { votes[$0] == true }) }

    /// Whether some way of giving the missing votes wins.
    private func canBeWon(_ votes: [NodeID: Bool]) -> Bool {
        let open = membership.all.filter { votes[$0] == nil }
        return (0..<(1 << open.count)).contains { choice in
            var full = votes
            for (place, node) in open.enumerated() { full[node] = choice & (1 << place) != 0 }
            return isWon(full)
        }
    }

    // MARK: Parts

    /// By definition: more than half of the voters, and of the outgoing ones if there are any. Nobody is no quorum.
    private func isQuorum(_ nodes: [NodeID]) -> Bool {
        func isMajority(of voters: [NodeID]) -> Bool { voters.count(where: nodes.contains) * 2 > voters.count }
        return isMajority(of: membership.voters) && (membership.outgoing.isEmpty || isMajority(of: membership.outgoing))
    }

    /// Majorities know no order; and one that is joined with itself is the same as alone.
    private var bothWays: [Membership] {
        let (voters, outgoing) = (membership.voters, membership.outgoing)
        return outgoing.isEmpty
            ? [membership, Membership(voters: voters, outgoing: voters)]
            : [membership, Membership(voters: outgoing, outgoing: voters)]
    }

    private func values(_ text: String) throws(ScenarioFailure) -> [(NodeID, String)] {
        let values = text == "none" ? [] : text.split(separator: ",").map(String.init)
        guard values.count == membership.all.count else {
            throw line.failure("\(membership.all.count) values", found: "\(values.count)")
        }
        return Array(zip(membership.all, values))
    }
}
