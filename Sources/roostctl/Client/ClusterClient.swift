import RESP

/// Executes commands at whichever node of one cluster takes them, each write at most once.
///
/// First all nodes are asked who they are, so that nothing is sent if they are of two clusters, and the leader, which
/// need not forward, is tried first. Then they are tried in turn, with growing pauses between rounds, until the
/// deadline. A write is tried again only if it is certainly not applied: the connection failed before the whole command
/// was sent, or the reply says so. A read is tried again after any failure.
struct ClusterClient {
    struct Command {
        var arguments: [String]
        var isWrite: Bool

        static func read(_ arguments: String...) -> Command { Command(arguments: arguments, isWrite: false) }
        static func write(_ arguments: String...) -> Command { Command(arguments: arguments, isWrite: true) }
    }

    /// A node that runs answers these at once; one that is paused or cut off should cost little.
    private static let connectTimeout = Duration.seconds(1)
    private static let statusTimeout = Duration.seconds(1)
    /// A read that a node does not answer in this time goes to the next one.
    private static let readTimeout = Duration.seconds(3)
    /// What a write is worth waiting for once it was sent, whatever is left of the time-out: giving up leaves its
    /// outcome unknown.
    private static let writeTimeout = Duration.seconds(3)

    private var endpoints: [Endpoint]
    private let timeout: Duration
    private var connections: [Endpoint: NodeConnection] = [:]
    /// Where the last command succeeded; the next one starts there.
    private var preferred = 0
    /// The cluster that all nodes must belong to, and a node that said so.
    private var cluster: (id: String, endpoint: Endpoint)?

    /// - Precondition: there is an endpoint.
    init(_ endpoints: [Endpoint], timeout: Duration) {
        precondition(!endpoints.isEmpty, "a client needs a node to talk to")
        self.endpoints = endpoints
        self.timeout = timeout
    }

    private enum Attempt {
        case reply(Reply)
        /// Certainly not applied.
        case notApplied(reason: String)
        case outcomeUnknown(reason: String)
    }

    /// The reply, which is no error.
    ///
    /// - Throws: `Failure`: `refused` (an error reply), `unavailable` (certainly not applied), `outcomeUnknown`, or
    ///   `wrongCluster`.
    mutating func execute(_ command: Command) throws(Failure) -> Reply {
        let deadline = Deadline.in(timeout)
        try meet()
        var backoff = Backoff()
        var reasons: [String] = []
        while true {
            reasons.removeAll()
            for turn in endpoints.indices {
                let index = (preferred + turn) % endpoints.count
                switch try attempt(command, at: endpoints[index], deadline) {
                case .reply(let reply):
                    preferred = index
                    return try accepted(reply, from: endpoints[index])
                case .notApplied(let reason):
                    reasons.append("\(endpoints[index]): \(reason)")
                case .outcomeUnknown(let reason):
                    throw Failure(
                        .outcomeUnknown,
                        """
                        outcome unknown: \(endpoints[index]): \(reason); the write may or may not take effect, \
                        read the key before you repeat it
                        """)
                }
                if deadline.hasPassed { break }
            }
            let wait = backoff.next()
            guard wait < deadline.remaining else { break }
            pause(wait)
        }
        throw Failure(
            .unavailable, "not done, safe to try again: \(reasons.joined(separator: "; ")); see roostctl status")
    }

    /// Asks all nodes who they are, once; with a single one, its connection does that.
    private mutating func meet() throws(Failure) {
        guard endpoints.count > 1, cluster == nil else { return }
        let reports = NodeReport.survey(endpoints)
        cluster = try NodeReport.requireOneCluster(reports)
        let leaders = reports.filter { $0.status?.isLeader == true }
        let others = reports.filter { $0.status?.isLeader == false }
        let silent = reports.filter { $0.status == nil }
        endpoints = (leaders + others + silent).map(\.endpoint)
    }

    private func accepted(_ reply: Reply, from endpoint: Endpoint) throws(Failure) -> Reply {
        if case .error(let message) = reply { throw Failure(.refused, "\(endpoint) refused: \(message)") }
        return reply
    }

    private mutating func attempt(
        _ command: Command, at endpoint: Endpoint, _ deadline: Deadline
    ) throws(Failure) -> Attempt {
        let connection: NodeConnection
        switch try connect(to: endpoint, deadline) {
        case .success(let open): connection = open
        case .failure(let unreached): return .notApplied(reason: unreached.reason)
        }
        let patience = command.isWrite ? deadline.later(of: Self.writeTimeout) : deadline.earlier(of: Self.readTimeout)
        do throws(NodeConnection.RequestFailure) {
            let reply = try connection.request(command.arguments, deadline: patience)
            switch ErrorWord(reply) {
            case .notApplied: return .notApplied(reason: reply.text ?? "")
            case .outcomeUnknown where command.isWrite: return .outcomeUnknown(reason: reply.text ?? "")
            case .refused, .outcomeUnknown, nil: return .reply(reply)
            }
        } catch {
            connections[endpoint] = nil
            let reason = "\(error.cause)"
            return command.isWrite && error.wasSent ? .outcomeUnknown(reason: reason) : .notApplied(reason: reason)
        }
    }

    private struct Unreached: Error { var reason: String }

    /// A connection to a node that is known to belong to the cluster of this client.
    private mutating func connect(
        to endpoint: Endpoint, _ deadline: Deadline
    ) throws(Failure) -> Result<NodeConnection, Unreached> {
        if let open = connections[endpoint] { return .success(open) }
        let status: NodeStatus
        let connection: NodeConnection
        do {
            connection = try NodeConnection(to: endpoint, deadline: deadline.earlier(of: Self.connectTimeout))
            status = try connection.status(deadline: deadline.earlier(of: Self.statusTimeout)).status
        } catch NodeConnection.StatusFailure.notRoost(let reason) {
            throw Failure(.wrongCluster, "\(endpoint) is no Roost node: \(reason)")
        } catch {
            return .failure(Unreached(reason: "\(error)"))
        }
        // A node that recovers does not know yet to which cluster it belongs.
        guard !status.clusterID.isEmpty else { return .failure(Unreached(reason: "it still recovers")) }
        if let cluster, cluster.id != status.clusterID {
            throw .twoClusters(cluster.endpoint, cluster.id, endpoint, status.clusterID)
        }
        cluster = (status.clusterID, endpoint)
        connections[endpoint] = connection
        return .success(connection)
    }
}
