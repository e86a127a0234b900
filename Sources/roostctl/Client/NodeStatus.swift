import FoundationEssentials
import RESP

/// What a node says about itself (`ROOST.STATUS`). Fields that it may add later are ignored here, and passed on where
/// the JSON is printed.
struct NodeStatus: Decodable, Hashable {
    struct Peer: Decodable, Hashable {
        var node: UInt64
        /// Whether the leader heard from it lately.
        var active: Bool?
        /// A snapshot that is on its way to it.
        var snapshot: Snapshot?
        /// Its redis port, as far as the node that tells it knows.
        var redis: String?
    }

    struct Snapshot: Decodable, Hashable {
        var bytes: UInt64
        var of: UInt64
    }

    var node: UInt64
    /// Empty while the node recovers.
    var clusterID: String
    var clusterName: String
    var role: String
    var term: UInt64
    /// 0 or absent while there is none.
    var leader: UInt64?
    var leaderRedis: String?
    var voters: [UInt64]
    var learners: [UInt64]?
    /// Voters of the configuration that is being left.
    var leaving: [UInt64]?
    /// To whom leadership is being handed over.
    var transferTo: UInt64?
    /// A snapshot that is on its way to this node.
    var receiving: Snapshot?
    var commit: UInt64
    var applied: UInt64
    var ready: Bool
    var reasons: [String]
    /// What needs a look although the node serves.
    var alarms: [String]?
    var version: String
    var redis: String
    /// Only a leader knows how its peers are doing.
    var peers: [Peer]?

    var isLeader: Bool { role == "leader" }

    private enum CodingKeys: String, CodingKey {
        case node, role, term, leader, voters, learners, leaving, receiving, commit, applied, ready, reasons, alarms,
            version,
            redis, peers
        case clusterID = "cluster_id"
        case clusterName = "cluster_name"
        case leaderRedis = "leader_redis"
        case transferTo = "transfer_to"
    }

    /// `nil` if the text is not the status of a Roost node.
    init?(json: String) {
        guard let status = try? JSONDecoder().decode(NodeStatus.self, from: Data(json.utf8)) else { return nil }
        self = status
    }
}

extension NodeConnection {
    /// Why a node gave no status.
    enum StatusFailure: Error, CustomStringConvertible {
        case link(LinkFailure)
        /// An error reply that clients retry, e.g. while the node recovers.
        case notYet(String)
        case notRoost(String)

        var description: String {
            switch self {
            case .link(let failure): "\(failure)"
            case .notYet(let message): message
            case .notRoost(let message): "no Roost node: \(message)"
            }
        }
    }

    /// Asks the node about itself; `json` is the text as it came.
    func status(deadline: Deadline) throws(StatusFailure) -> (status: NodeStatus, json: String) {
        let reply: Reply
        do throws(RequestFailure) { reply = try request(["ROOST.STATUS"], deadline: deadline) } catch {
            throw .link(error.cause)
        }
        if case .error(let message) = reply {
            throw ErrorWord(reply) == .notApplied ? .notYet(message) : .notRoost(message)
        }
        guard let json = reply.text, let status = NodeStatus(json: json) else {
            throw .notRoost("its ROOST.STATUS is not understood")
        }
        return (status, json)
    }
}
