import FoundationEssentials
import PeerTransport

/// The JSON of `/status` and ROOST.STATUS, which `roostctl status` draws. Fields are only ever added.
struct StatusDocument: Codable, Sendable {
    var node: UInt64
    var clusterID: String
    var clusterName: String
    /// `leader`, `follower`, `candidate`, `pre-candidate`; `learner`, or `joining` before the node has applied that it
    /// is one; `recovering` before the core runs.
    var role: String
    var term: UInt64
    /// 0: none known.
    var leader: UInt64
    /// Where the leader takes clients; empty: not known.
    var leaderRedis: String
    var voters: [UInt64]
    /// They receive the log and do not count.
    var learners: [UInt64]
    /// In a joint configuration: the voters before the change, who count too until it is left. Else empty.
    var leaving: [UInt64]
    /// To whom leadership is being handed over.
    var transferTo: UInt64?
    var commit: UInt64
    var applied: UInt64
    var last: UInt64
    var first: UInt64
    /// Last index that is on this node's disk.
    var durable: UInt64
    /// No member needs the log up to here.
    var truncatable: UInt64
    var ready: Bool
    /// Why not, in sentences; empty when ready.
    var reasons: [String]
    var version: String
    var uptimeSeconds: Int
    var redis: String
    var peer: String
    var http: String
    var clients: Int
    /// A snapshot that is on its way to this node.
    var receiving: Snapshot?
    /// Nil for a node that keeps nothing on a disk, and before it recovers.
    var disk: Disk?
    /// What an operator should look at although the node serves, in sentences.
    var alarms: [String]
    var peers: [Peer]

    struct Snapshot: Codable, Sendable {
        var bytes: UInt64
        var of: UInt64
    }

    struct Disk: Codable, Sendable {
        /// `ample`, `low` (below `minFree`) or `full` (below `criticalFree`).
        var level: String
        /// What the file system has free.
        var free: UInt64
        /// Of that, what the state in memory will take.
        var owed: UInt64
        var capacity: UInt64
        var minFree: UInt64
        var criticalFree: UInt64
        /// Size of the reserve that is there.
        var reserve: UInt64
        /// What the database from before a repair holds.
        var beforeRepair: UInt64
        /// What the cluster takes of clients' writes: `all`, `freeing`, `none`.
        var writes: String

        enum CodingKeys: String, CodingKey {
            case level, free, owed, capacity, reserve, writes
            case minFree = "min_free"
            case criticalFree = "critical_free"
            case beforeRepair = "before_repair"
        }
    }

    struct Peer: Codable, Sendable {
        var node: UInt64
        var connected: Bool
        /// Leader only: everything up to here is on its disk.
        var match: UInt64?
        var next: UInt64?
        var mode: String?
        var active: Bool?
        var learner: Bool?
        /// Leader only: a snapshot that is on its way there.
        var snapshot: Snapshot?
        var redis: String?
        var roundTripMicroseconds: Int64?
        /// The sentence with which one of the two refused the other.
        var refusal: String?

        enum CodingKeys: String, CodingKey {
            case node, connected, match, next, mode, active, learner, snapshot, redis, refusal
            case roundTripMicroseconds = "round_trip_us"
        }
    }

    enum CodingKeys: String, CodingKey {
        case node, role, term, leader, voters, learners, leaving, commit, applied, last, first, durable, truncatable
        case ready, reasons, version, redis, peer, http, clients, receiving, disk, alarms, peers
        case transferTo = "transfer_to"
        case clusterID = "cluster_id"
        case clusterName = "cluster_name"
        case leaderRedis = "leader_redis"
        case uptimeSeconds = "uptime_seconds"
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("the status has no JSON form") }
        return String(decoding: data, as: UTF8.self)
    }
}

extension StatusDocument.Disk {
    init(_ picture: SpaceBoard.Picture, _ admission: RoomVerdict.Admission) {
        self.init(
            level: "\(picture.level)", free: picture.reading.freeBytes, owed: picture.reading.owedBytes,
            capacity: picture.reading.capacityBytes, minFree: picture.limits.minFree,
            criticalFree: picture.limits.criticalFree, reserve: picture.reserveBytes,
            beforeRepair: picture.copyBytes, writes: "\(admission)")
    }
}

extension StatusDocument.Snapshot {
    init(_ progress: SnapshotProgress) { self.init(bytes: progress.transferredBytes, of: progress.totalBytes) }
}
