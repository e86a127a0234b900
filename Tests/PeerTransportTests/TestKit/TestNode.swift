import Logging
import NIOCore
import NIOPosix
import PeerTransport
import Raft

/// A transport with everything around it, on loopback.
struct TestNode: Sendable {
    static let loopback = PeerAddress(host: "127.0.0.1", port: 0)
    /// Where nobody listens: connections are refused at once.
    static let nowhere = PeerAddress(host: "127.0.0.1", port: 1)

    let delegate: RecordingDelegate
    let log: Recorder<RecordingLog.Line>
    let transport: PeerTransport

    init(
        _ identity: PeerIdentity, limits: PeerTransportLimits = .quick,
        admit: @escaping @Sendable (PeerIdentity) -> PeerVerdict = { _ in .welcome }
    ) {
        self.init(identity, limits: limits, delegate: RecordingDelegate(admit: admit))
    }

    init(_ identity: PeerIdentity, limits: PeerTransportLimits = .quick, delegate: RecordingDelegate) {
        self.delegate = delegate
        log = Recorder()
        transport = PeerTransport(
            identity: identity, limits: limits, group: MultiThreadedEventLoopGroup.singleton,
            logger: RecordingLog.logger(log), delegate: delegate)
    }

    func start(
        on listen: PeerAddress = Self.loopback, peers: [UInt64: PeerAddress] = [:]
    ) async throws -> PeerAddress {
        try await transport.start(listen: listen, peers: Self.peers(peers))
    }

    func setPeers(_ peers: [UInt64: PeerAddress]) { transport.setPeers(Self.peers(peers)) }

    private static func peers(_ peers: [UInt64: PeerAddress]) -> [NodeID: PeerAddress] {
        [NodeID: PeerAddress](uniqueKeysWithValues: peers.map { (NodeID($0.key), $0.value) })
    }

    /// Sets one rule between this node and another.
    func fail(
        _ node: UInt64, _ direction: NetworkFaults.Direction = .both, seed: UInt64 = 1,
        _ change: (inout NetworkFaults.Rule) -> Void
    ) {
        var faults = transport.faults
        faults.seed = seed
        faults.change(NodeID(node), direction, change)
        transport.setFaults(faults)
    }

    func heal() { transport.setFaults(NetworkFaults()) }

    func statistics(of node: UInt64) -> PeerStatistics? {
        transport.statistics().peers.first { $0.node == NodeID(node) }
    }
}

/// Runs `body` with node 1, which dials node 2, and node 2, which dials nobody; both are stopped afterwards.
func withPair(
    limits: PeerTransportLimits = .quick, receiver: RecordingDelegate = RecordingDelegate(),
    _ body: (_ one: TestNode, _ two: TestNode) async throws -> Void
) async throws {
    let one = TestNode(.sample(1), limits: limits)
    let two = TestNode(.sample(2), limits: limits, delegate: receiver)
    try await withNodes(one, two) {
        let address = try await two.start()
        _ = try await one.start(peers: [2: address])
        try await one.delegate.connected(2, .dialled)
        try await body(one, two)
    }
}

/// Lets others run, for a loop that waits for a figure to change.
///
/// - Throws: `CancellationError` at the suite's time limit.
func breathe() async throws {
    try Task.checkCancellation()
    await Task.yield()
}

/// Stops the nodes after `body`, whatever happens in it.
func withNodes(_ nodes: TestNode..., body: () async throws -> Void) async throws {
    var failure: (any Error)?
    do { try await body() } catch { failure = error }
    for node in nodes { await node.transport.stop() }
    if let failure { throw failure }
}

extension PeerTransportLimits {
    /// Pauses that nobody has to wait for, and timeouts that no busy machine runs into.
    static var quick: PeerTransportLimits {
        PeerTransportLimits(
            handshakeTimeout: .seconds(50), connectTimeout: .seconds(50), reconnectMax: .milliseconds(40),
            linkTimeout: .seconds(50), snapshotStallTimeout: .seconds(50))
    }
}
