/// The cluster's state as text.
struct StatusScreen {
    let reports: [NodeReport]
    let health: ClusterHealth

    func lines(_ format: OutputFormat) -> [String] {
        switch format {
        case .table: [heading] + table + health.events.map { "> \($0)" } + health.problems.map { "! \($0)" }
        case .plain: reports.map { cells($0).joined(separator: "\t") }
        case .json: [json.description]
        }
    }

    private var heading: String {
        var parts: [String] = []
        if let status = health.leader ?? reports.lazy.compactMap(\.status).first {
            parts.append("cluster \(status.clusterName) \(status.clusterID.prefix(8))")
        }
        switch health.verdict {
        case .healthy: parts.append("HEALTHY")
        case .degraded: parts.append("DEGRADED")
        case .noMajority: parts.append("NO MAJORITY")
        }
        if !health.voters.isEmpty {
            parts.append(health.voters.count == 1 ? "1 voter" : "\(health.voters.count) voters")
        }
        if !health.learners.isEmpty {
            parts.append(health.learners.count == 1 ? "1 learner" : "\(health.learners.count) learners")
        }
        if health.verdict != .noMajority {
            parts.append("can lose \(health.tolerance) more")
        }
        return parts.joined(separator: "   ")
    }

    private var table: [String] {
        var table = Table([
            "NODE": .right, "ROLE": .left, "TERM": .right, "COMMIT": .right, "APPLIED": .right, "LAG": .right,
            "VERSION": .left, "ADDRESS": .left, "REACHABLE": .left,
        ])
        for report in reports { table.append(cells(report)) }
        return table.lines
    }

    /// The columns of a node's row; also those of `plain`, so their order is part of the interface.
    private func cells(_ report: NodeReport) -> [String] {
        let address = report.endpoint.description
        switch report.answer {
        case .none(let reason):
            let node = missingNode(report).map(String.init) ?? "?"
            return [node, "-", "-", "-", "-", "-", "-", address, "no: \(reason)"]
        case .status(let status, _):
            let lag = health.leader.map { ClusterHealth.lag(of: status, behind: $0) }
            return [
                String(status.node), status.role, String(status.term), String(status.commit),
                String(status.applied), lag.map(String.init) ?? "-", status.version, address,
                status.ready ? "yes" : "not ready",
            ]
        }
    }

    /// The id of a node that does not answer: by what the others know, or because only one voter and one endpoint are
    /// left to match.
    private func missingNode(_ report: NodeReport) -> UInt64? {
        let statuses = reports.compactMap(\.status)
        let peers = statuses.lazy.flatMap { $0.peers ?? [] }
        if let peer = peers.first(where: { $0.redis == report.endpoint.description }) { return peer.node }
        let answered = Set(statuses.map(\.node))
        let missing = health.voters.filter { !answered.contains($0) }
        return missing.count == 1 && reports.count(where: { $0.status == nil }) == 1 ? missing[0] : nil
    }

    private var json: JSON {
        let nodes = reports.map { report in
            let address = JSON.string(report.endpoint.description)
            switch report.answer {
            case .status(_, let json):
                return JSON.object(["address": address, "reachable": .boolean(true), "status": .raw(json)])
            case .none(let reason):
                return JSON.object(["address": address, "reachable": .boolean(false), "error": .string(reason)])
            }
        }
        return .object([
            "health": .string(health.verdict.rawValue),
            "leader": health.leader.map { .integer(Int64(clamping: $0.node)) } ?? .null,
            "voters": .array(health.voters.map { .integer(Int64(clamping: $0)) }),
            "learners": .array(health.learners.map { .integer(Int64(clamping: $0)) }),
            "events": .array(health.events.map { .string($0) }),
            "problems": .array(health.problems.map { .string($0) }),
            "nodes": .array(nodes),
        ])
    }
}
