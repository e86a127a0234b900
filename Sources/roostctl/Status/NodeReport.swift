import Dispatch
import Synchronization

/// What one endpoint answered when it was asked about itself.
struct NodeReport: Sendable {
    enum Answer: Sendable {
        /// The status, and its JSON as it came.
        case status(NodeStatus, json: String)
        /// Why there is none.
        case none(String)
    }

    var endpoint: Endpoint
    var answer: Answer

    var status: NodeStatus? {
        if case .status(let status, _) = answer { return status }
        return nil
    }

    /// A node that runs answers at once; this long to connect, and as long again to reply.
    private static let patience = Duration.seconds(1)

    /// Asks one endpoint.
    init(asking endpoint: Endpoint) {
        self.endpoint = endpoint
        do {
            let connection = try NodeConnection(to: endpoint, deadline: .in(Self.patience))
            let (status, json) = try connection.status(deadline: .in(Self.patience))
            answer = .status(status, json: json)
        } catch {
            answer = .none("\(error)")
        }
    }

    /// Asks all endpoints at the same time, so that the slowest one sets the time that it takes. In their order.
    static func survey(_ endpoints: [Endpoint]) -> [NodeReport] {
        let reports = Mutex<[Int: NodeReport]>([:])
        DispatchQueue.concurrentPerform(iterations: endpoints.count) { index in
            let report = NodeReport(asking: endpoints[index])
            reports.withLock { $0[index] = report }
        }
        return reports.withLock { reports in endpoints.indices.compactMap { reports[$0] } }
    }

    /// Asks also those nodes of the cluster that the asked ones name: one address is enough to see them all.
    static func withPeers(_ reports: [NodeReport]) -> [NodeReport] {
        var known = Set(reports.map(\.endpoint) + reports.compactMap { $0.status.flatMap { Endpoint($0.redis) } })
        var named: [Endpoint] = []
        for status in reports.compactMap(\.status) {
            for address in [status.leaderRedis] + (status.peers ?? []).map(\.redis) {
                if let endpoint = address.flatMap({ Endpoint($0) }), known.insert(endpoint).inserted {
                    named.append(endpoint)
                }
            }
        }
        return reports + NodeReport.survey(named)
    }

    /// The cluster that the nodes which answered belong to, and the first of them; `nil` if none knows.
    ///
    /// - Throws: `Failure` (`wrongCluster`) if they belong to several.
    static func requireOneCluster(_ reports: [NodeReport]) throws(Failure) -> (id: String, endpoint: Endpoint)? {
        var first: (id: String, endpoint: Endpoint)?
        for report in reports {
            // A node that recovers does not know yet.
            guard let id = report.status?.clusterID, !id.isEmpty else { continue }
            if let first, first.id != id { throw .twoClusters(first.endpoint, first.id, report.endpoint, id) }
            first = first ?? (id, report.endpoint)
        }
        return first
    }
}

extension Failure {
    static func twoClusters(_ first: Endpoint, _ firstID: String, _ second: Endpoint, _ secondID: String) -> Failure {
        Failure(
            .wrongCluster,
            """
            \(first) belongs to cluster \(firstID), \(second) to cluster \(secondID); name the nodes of one in --nodes
            """)
    }
}
