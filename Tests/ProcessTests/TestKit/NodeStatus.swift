import Foundation

/// The JSON of `ROOST.STATUS` and of `/status`, as far as tests read it.
struct NodeStatus: Decodable {
    struct Peer: Decodable {
        var node: UInt64
        var connected: Bool
        var mode: String?
    }

    var node: UInt64
    var clusterId: String
    var clusterName: String
    var role: String
    var term: UInt64
    /// 0: none known.
    var leader: UInt64
    var leaderRedis: String
    var voters: [UInt64]
    var learners: [UInt64]
    var commit: UInt64
    var applied: UInt64
    var last: UInt64
    var first: UInt64
    /// Last index on the node's disk.
    var durable: UInt64
    var ready: Bool
    var reasons: [String]
    var alarms: [String]
    var version: String
    var uptimeSeconds: Double
    var redis: String
    var peer: String
    var http: String
    var peers: [Peer]

    init(json: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(Self.self, from: Data(json.utf8))
        } catch {
            throw TestFailure("not a status: \(error)\n\(json)")
        }
    }
}
