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
}
