import PeerTransport
import Raft
import RaftStorage
import RedisServer
import Synchronization

/// Joins what the threads publish to what people and programs ask: INFO, ROLE, ROOST.STATUS, `/status`, `/metrics`.
final class NodeView: Sendable {
    /// Known once the doors are open.
    struct Addresses: Sendable {
        var redis: HostPort
        var peer: HostPort
        var http: HostPort
    }

    /// Known once the data directory is open.
    struct Opened: Sendable {
        var identity: Identity
        var store: NodeStore
        var transport: PeerTransport
        var book: MemberBook
    }

    let board: StatusBoard
    let space: SpaceBoard
    let metrics: NodeMetrics
    let alarms = AlarmBoard()
    private let configuration: NodeConfiguration
    private let started = SystemClock.monotonic()
    private let addresses = Mutex<Addresses?>(nil)
    private let opened = Mutex<Opened?>(nil)
    private let redis = Mutex<RedisServerMetrics?>(nil)

    init(configuration: NodeConfiguration, board: StatusBoard, space: SpaceBoard, metrics: NodeMetrics) {
        self.configuration = configuration
        self.board = board
        self.space = space
        self.metrics = metrics
    }

    func set(_ new: Addresses) { addresses.withLock { $0 = new } }
    /// The port was 0 until it was bound; an advertised one stays.
    func setPeerPort(_ port: Int) { addresses.withLock { if $0?.peer.port == 0 { $0?.peer.port = port } } }
    func set(_ new: RedisServerMetrics) { redis.withLock { $0 = new } }
    func set(_ new: Opened) { opened.withLock { $0 = new } }

    /// Nil before the Redis door is made.
    var redisMetrics: RedisServerMetrics? { redis.withLock { $0 } }
    var storeStatistics: StoreStatistics? { opened.withLock { $0 }?.store.statistics() }
    /// Without the nodes that were removed: transport remembers whom it met.
    var transportStatistics: PeerTransportStatistics? {
        guard let opened = opened.withLock({ $0 }) else { return nil }
        var statistics = opened.transport.statistics()
        statistics.peers.removeAll { opened.book.standing(of: $0.node) == .removed }
        return statistics
    }
    var transport: PeerTransport? { opened.withLock { $0 }?.transport }
    var book: MemberBook? { opened.withLock { $0 }?.book }
    var allowsFaults: Bool { configuration.debug.faultInjection }
    /// A node that joins has no id before it is let in: 0 until then.
    private var node: UInt64 {
        opened.withLock { $0 }?.identity.node.rawValue ?? (configuration.node.join == nil ? configuration.node.id : 0)
    }
    var uptime: Duration { SystemClock.monotonic().since(started) }

    /// Why a command can't be served now; empty: it can.
    func obstacles() -> [String] {
        guard let picture = board.picture, board.isTaking else { return ["recovering: data is not served yet"] }
        var obstacles: [String] = []
        if picture.core.leader == nil { obstacles.append("no leader is known in term \(picture.core.term)") }
        let lag = picture.core.commitIndex.distance(from: picture.core.appliedIndex)
        if lag > UInt64(configuration.limits.maxReadyLag) {
            obstacles.append("\(lag) committed entries are not applied yet")
        }
        return obstacles
    }

    func description() -> NodeDescription {
        let core = board.picture?.core
        let peers = transportStatistics?.peers ?? []
        let leader = core?.leader?.rawValue
        return NodeDescription(
            isLeader: core?.role == .leader, role: role(core), term: core?.term.rawValue ?? 0,
            leaderNode: leader, leaderRedis: leader.flatMap { redisAddress(of: $0, peers) }.map { ($0.host, $0.port) },
            commitIndex: core?.commitIndex.rawValue ?? 0, appliedIndex: core?.appliedIndex.rawValue ?? 0,
            voters: core?.membership.voters.map(\.rawValue) ?? [], followers: followers(core, peers),
            version: RoostVersion.current, node: node, uptimeSeconds: Int(uptime.components.seconds),
            redisPort: addresses.withLock { $0 }?.redis.port ?? 0)
    }

    func usage() -> NodeUsage {
        NodeUsage(
            estimatedKeys: storeStatistics?.estimatedStateKeys ?? 0,
            residentBytes: ProcessStatistics.residentBytes())
    }

    func document() -> StatusDocument {
        let core = board.picture?.core
        let known = addresses.withLock { $0 }
        let identity = opened.withLock { $0 }?.identity
        let links = transportStatistics?.peers ?? []
        let obstacles = obstacles()
        return StatusDocument(
            node: node, clusterID: identity.map { hexadecimal($0.clusterID) } ?? "",
            clusterName: identity?.clusterName ?? configuration.node.clusterName, role: role(core),
            term: core?.term.rawValue ?? 0,
            leader: core?.leader?.rawValue ?? 0,
            leaderRedis: (core?.leader?.rawValue).flatMap { redisAddress(of: $0, links) }.map { "\($0)" } ?? "",
            voters: core?.membership.voters.map(\.rawValue) ?? [],
            learners: core?.membership.learners.map(\.rawValue) ?? [],
            leaving: core?.membership.outgoing.map(\.rawValue) ?? [], transferTo: core?.transferTarget?.rawValue,
            commit: core?.commitIndex.rawValue ?? 0,
            applied: core?.appliedIndex.rawValue ?? 0, last: core?.lastIndex.rawValue ?? 0,
            first: core?.firstIndex.rawValue ?? 0, durable: core?.durableIndex.rawValue ?? 0,
            truncatable: core?.truncatableIndex.rawValue ?? 0, ready: obstacles.isEmpty, reasons: obstacles,
            version: RoostVersion.current, uptimeSeconds: Int(uptime.components.seconds),
            redis: known.map { "\($0.redis)" } ?? "", peer: known.map { "\($0.peer)" } ?? "",
            http: known.map { "\($0.http)" } ?? "", clients: redisMetrics?.connectedClients.current ?? 0,
            receiving: links.lazy.compactMap(\.receivingSnapshot).first.map(StatusDocument.Snapshot.init),
            disk: space.picture.map { StatusDocument.Disk($0, space.admission) }, alarms: alarms.sentences,
            peers: links.map { link in peer(link, core) })
    }

    /// What people call it: a follower that does not count is a learner, or no member at all.
    private func role(_ core: Status?) -> String {
        guard let core else { return "recovering" }
        guard core.role == .follower, !core.membership.isVoter(core.node) else { return core.role.rawValue }
        return core.membership.learners.contains(core.node) ? "learner" : "joining"
    }

    private func peer(_ link: PeerStatistics, _ core: Status?) -> StatusDocument.Peer {
        let progress = core?.peers.first { $0.node == link.node }
        return StatusDocument.Peer(
            node: link.node.rawValue, connected: link.isConnected, match: progress?.matchIndex.rawValue,
            next: progress?.nextIndex.rawValue, mode: progress?.mode.rawValue, active: progress?.isActive,
            learner: progress?.isLearner, snapshot: link.sendingSnapshot.map(StatusDocument.Snapshot.init),
            redis: link.identity?.advertisedRedis,
            roundTripMicroseconds: link.roundTrip.map { Int64($0.wholeNanoseconds / 1000) }, refusal: link.refusal)
    }

    private func redisAddress(of node: UInt64, _ peers: [PeerStatistics]) -> HostPort? {
        if node == self.node { return addresses.withLock { $0 }?.redis }
        let link = peers.first { $0.node.rawValue == node }?.identity.flatMap { HostPort($0.advertisedRedis) }
        return link ?? book.flatMap { HostPort($0.contact(of: NodeID(node)).redis) }
    }

    private func followers(
        _ core: Status?, _ peers: [PeerStatistics]
    ) -> [(host: String, port: Int, matchIndex: UInt64)] {
        guard let core, core.role == .leader else { return [] }
        return core.peers.compactMap { peer in
            guard peer.isActive, let address = redisAddress(of: peer.node.rawValue, peers) else { return nil }
            return (address.host, address.port, peer.matchIndex.rawValue)
        }
    }
}

/// An id as people see it: always 16 digits.
func hexadecimal(_ id: UInt64) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
