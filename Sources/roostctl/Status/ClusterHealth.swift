/// What the nodes' own words add up to.
struct ClusterHealth {
    enum Verdict: String {
        case healthy, degraded
        case noMajority = "no-majority"

        var exitCode: Int32 {
            switch self {
            case .healthy: 0
            case .degraded: 1
            case .noMajority: 2
            }
        }
    }

    /// Entries that a node may be behind the leader before that is worth a word: what a busy cluster applies between
    /// the moments at which two nodes are asked.
    static let tolerableLag: UInt64 = 10_000

    let verdict: Verdict
    /// Of the newest term, if several nodes believe to lead.
    let leader: NodeStatus?
    /// Ids of the members that count, ascending.
    let voters: [UInt64]
    /// Ids of the members that receive the log without counting, ascending.
    let learners: [UInt64]
    /// What is going on at the moment, one sentence each; none of it is a problem.
    let events: [String]
    /// Voters that follow the leader, itself included.
    let following: Int
    /// One sentence each: what keeps the verdict from being `healthy`.
    let problems: [String]

    /// How many more voters may fail before there is no majority.
    var tolerance: Int { max(0, following - (voters.count / 2 + 1)) }

    /// - Precondition: the statuses in the reports are of one cluster.
    init(_ reports: [NodeReport]) {
        let statuses = reports.compactMap(\.status)
        let leader = statuses.filter(\.isLeader).max { $0.term < $1.term }
        self.leader = leader
        let newest = leader ?? statuses.max { ($0.term, $0.commit) < ($1.term, $1.commit) }
        voters = newest?.voters.sorted() ?? []
        learners = newest?.learners?.sorted() ?? []
        events = newest.map(Self.events) ?? []
        let followers = voters.filter { Self.follows($0, leader, statuses) }
        following = followers.count
        guard leader != nil, following > voters.count / 2 else {
            verdict = .noMajority
            let headline = Self.noMajority(leader, following: following, of: voters.count)
            problems = [headline] + Self.problems(reports, leader, voters)
            return
        }
        problems = Self.problems(reports, leader, voters)
        verdict = problems.isEmpty ? .healthy : .degraded
    }

    private static func events(_ status: NodeStatus) -> [String] {
        var events: [String] = []
        if let target = status.transferTo { events.append("leadership is on its way to node \(target)") }
        if let leaving = status.leaving, !leaving.isEmpty {
            events.append("the voters change: a majority of \(listed(leaving)) counts too until that is done")
        }
        for peer in status.peers ?? [] {
            guard let snapshot = peer.snapshot else { continue }
            let percent = snapshot.of == 0 ? 100 : 100 * Double(snapshot.bytes) / Double(snapshot.of)
            events.append("node \(peer.node) gets a snapshot: \(Int(percent)) % of \(snapshot.of >> 20) MiB")
        }
        return events
    }

    private static func listed(_ nodes: [UInt64]) -> String { nodes.map(String.init).joined(separator: ", ") }

    /// Whether the voter follows the leader, by its own word or, if it was not reached, by the leader's.
    private static func follows(_ voter: UInt64, _ leader: NodeStatus?, _ statuses: [NodeStatus]) -> Bool {
        guard let leader else { return false }
        if voter == leader.node { return true }
        if let status = statuses.first(where: { $0.node == voter }) {
            return status.leader == leader.node && status.term == leader.term
        }
        return isActive(voter, leader)
    }

    private static func isActive(_ voter: UInt64, _ leader: NodeStatus?) -> Bool {
        leader?.peers?.contains { $0.node == voter && $0.active == true } ?? false
    }

    private static func noMajority(_ leader: NodeStatus?, following: Int, of voters: Int) -> String {
        if voters == 0 { return "no node answers; are they running? (systemctl status roost, roostctl demo status)" }
        guard let leader else { return "no leader among the nodes that answer; writes and reads wait for one" }
        return "node \(leader.node) believes to lead, but only \(following) of \(voters) voters follow it"
    }

    private static func problems(_ reports: [NodeReport], _ leader: NodeStatus?, _ voters: [UInt64]) -> [String] {
        let statuses = reports.compactMap(\.status)
        var problems: [String] = []
        for report in reports {
            if case .none(let reason) = report.answer {
                problems.append("\(report.endpoint) does not answer: \(reason); start that node, or see its log")
            }
        }
        for status in statuses where !status.ready {
            let reasons = status.reasons.isEmpty ? "no reason given" : status.reasons.joined(separator: ", ")
            problems.append("node \(status.node) is not ready: \(reasons)")
        }
        // Nodes repeat what their leader found.
        for alarm in statuses.flatMap({ $0.alarms ?? [] }) where !problems.contains(alarm) { problems.append(alarm) }
        guard let leader else { return problems }
        for status in statuses where lag(of: status, behind: leader) > tolerableLag {
            problems.append("node \(status.node) is \(lag(of: status, behind: leader)) entries behind the leader")
        }
        let answered = Set(statuses.map(\.node))
        for member in voters + (leader.learners ?? []) where !answered.contains(member) && !isActive(member, leader) {
            problems.append("the leader does not hear from node \(member)")
        }
        return problems
    }

    /// Entries that the leader has committed and the node has not applied. The two were asked at slightly different
    /// moments, so a follower may seem to be ahead.
    static func lag(of status: NodeStatus, behind leader: NodeStatus) -> UInt64 {
        leader.commit > status.applied ? leader.commit - status.applied : 0
    }
}
