import Logging
import PeerTransport
import Raft
import RaftStorage

/// As whom a node opens its data directory.
enum NodeOrigin: Sendable {
    /// As the configuration says: one of the founders.
    case founder
    /// As the directory says.
    case existing
    /// As the cluster said that took it in.
    case joined(JoinAcceptance, incarnation: UInt64)

    /// What the node was told of the others.
    var introduced: [NodeID: ClusterDirectory.Member] {
        guard case .joined(let acceptance, _) = self else { return [:] }
        var members: [NodeID: ClusterDirectory.Member] = [:]
        for member in acceptance.members where member.node != acceptance.node {
            var entry = ClusterDirectory.Member(peer: member.advertisedPeer)
            (entry.redis, entry.http) = (member.advertisedRedis, member.advertisedHTTP)
            entry.incarnation = member.incarnation
            members[member.node] = entry
        }
        return members
    }
}

/// `--join`: a node without an identity gets one from the cluster that it joins.
enum Joining {
    /// - Throws: `NodeFailure` with code 69 when no cluster took it in; `CancellationError`.
    static func origin(of environment: Engine.Environment) async throws -> NodeOrigin {
        let configuration = environment.configuration
        guard let target = configuration.node.join else { return .founder }
        if let identity = try existingIdentity(configuration) {
            environment.logger.notice(
                "the data directory belongs to a cluster already: --join is ignored",
                metadata: ["node.id": "\(identity.node)", "cluster.name": "\(identity.clusterName)"])
            return .existing
        }
        let incarnation = UInt64.random(in: 1 ... .max)
        environment.notifier.extendTimeout(by: configuration.limits.joinTimeout * 2, status: "joining \(target)")
        do throws(JoinError) {
            let acceptance = try await JoinClient.join(
                through: [PeerAddress(host: target.host, port: target.port)],
                request(environment, incarnation: incarnation),
                limits: Engine.transportLimits(configuration.limits), group: environment.eventLoops,
                timeout: configuration.limits.joinTimeout, logger: environment.logger)
            environment.logger.notice(
                "taken in as a learner",
                metadata: ["node.id": "\(acceptance.node)", "cluster.name": "\(acceptance.clusterName)"])
            return .joined(acceptance, incarnation: incarnation)
        } catch {
            try Task.checkCancellation()
            throw NodeFailure(
                .noCluster, cause: "no cluster could be joined through \(target): \(error)",
                remedy: "check node.join and that a majority of the cluster runs")
        }
    }

    private static func existingIdentity(_ configuration: NodeConfiguration) throws(NodeFailure) -> Identity? {
        guard configuration.storage.engine != .memory else { return nil }
        do throws(StorageError) {
            return try NodeStore.existingIdentity(in: configuration.node.dataDir)
        } catch {
            throw NodeFailure(storage: error)
        }
    }

    private static func request(_ environment: Engine.Environment, incarnation: UInt64) -> JoinRequest {
        let (configuration, addresses) = (environment.configuration, environment.addresses)
        let defaults = NodeConfiguration.Node()
        let (name, id) = (configuration.node.clusterName, configuration.node.id)
        return JoinRequest(
            // What was not set is left to the cluster.
            clusterName: name == defaults.clusterName ? "" : name, incarnation: incarnation,
            wantedNode: id == defaults.id ? nil : NodeID(id), advertisedPeer: "\(addresses.peer)",
            advertisedRedis: "\(addresses.redis)", advertisedHTTP: "\(addresses.http)")
    }
}
