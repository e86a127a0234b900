import Logging
import NIOCore
package import RESP
import Synchronization

/// Limits of the Redis door; each has its name in the configuration, section `limits`.
package struct RedisServerLimits: Sendable {
    package var request: RequestLimits
    package var maxKeyBytes: Int
    package var maxClients: Int
    package var maxPipelinedCommands: Int
    /// Bytes of one connection's commands and replies that wait for their turn; one command always goes.
    package var maxPipelinedBytes: Int
    /// Bytes of all connections' writes that are handed over and not settled, soft by one batch for each event loop.
    package var maxWaitingWriteBytes: Int
    package var maxOutputBufferBytes: Int
    /// Replies that are put together for one connection before they are written, and what may wait in its channel before
    /// nothing more is taken: a client that does not read costs about twice this and one reply.
    var maxWaitingReplyBytes: Int { min(1 << 20, maxOutputBufferBytes / 2) }
    package var maxBatchBytes: Int
    /// Only for texts: the node behind keeps the times.
    package var parkTimeout: Duration
    package var requestTimeout: Duration

    package init(
        request: RequestLimits, maxKeyBytes: Int, maxClients: Int, maxPipelinedCommands: Int,
        maxPipelinedBytes: Int, maxWaitingWriteBytes: Int, maxOutputBufferBytes: Int, maxBatchBytes: Int,
        parkTimeout: Duration, requestTimeout: Duration
    ) {
        self.request = request
        self.maxKeyBytes = maxKeyBytes
        self.maxClients = maxClients
        self.maxPipelinedCommands = maxPipelinedCommands
        self.maxPipelinedBytes = maxPipelinedBytes
        self.maxWaitingWriteBytes = maxWaitingWriteBytes
        self.maxOutputBufferBytes = maxOutputBufferBytes
        self.maxBatchBytes = maxBatchBytes
        self.parkTimeout = parkTimeout
        self.requestTimeout = requestTimeout
    }
}

/// Counters of the Redis door, for `/metrics` and INFO. Counted from any event loop.
package final class RedisServerMetrics: Sendable {
    package struct Counter: ~Copyable, Sendable {
        private let value = Atomic<Int>(0)
        package var current: Int { value.load(ordering: .relaxed) }
        func add(_ amount: Int) { value.wrappingAdd(amount, ordering: .relaxed) }
    }

    package let connectedClients = Counter()
    package let connectionsReceived = Counter()
    package let connectionsRefused = Counter()
    package let protocolErrors = Counter()
    /// Writes refused because too many wait.
    package let busyWrites = Counter()
    package let readCommands = Counter()
    package let writeCommands = Counter()
    package let otherCommands = Counter()

    package init() {}
}

/// What all connections share.
final class ServerContext: Sendable {
    let backend: any CommandBackend
    let limits: RedisServerLimits
    let metrics: RedisServerMetrics
    let logger: Logger
    private let nextID = Atomic<UInt64>(1)

    init(backend: any CommandBackend, limits: RedisServerLimits, metrics: RedisServerMetrics, logger: Logger) {
        self.backend = backend
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
    }

    func newConnectionID() -> UInt64 { nextID.wrappingAdd(1, ordering: .relaxed).oldValue }

    func connectionClosed(_ connection: ConnectionHandler) { metrics.connectedClients.add(-1) }

    // MARK: - Texts of errors whose words clients act upon

    func tooManyWait(_ writes: WaitingWrites) -> String {
        "BUSY \(writes.current) bytes of writes wait on this node (max-waiting-write-bytes \(writes.limit)); "
            + "command not executed, try again"
    }

    static let loading =
        "LOADING Roost is recovering its data and takes no commands yet; command not executed, try again"

    func text(of failure: WriteFailure) -> String {
        switch failure {
        case .noLeader: noLeaderText
        case .busy:
            "BUSY the leader could not take the command for \(limits.parkTimeout.milliseconds) ms; "
                + "command not executed, try again"
        case .noSpace: backend.noSpaceText()
        case .inDoubt:
            "INDOUBT no confirmation for \(limits.requestTimeout.milliseconds) ms: the write may or may not take effect; "
                + "read before you write again"
        case .stopping: "LOADING this node is stopping; command not executed, try another node"
        }
    }

    func text(of failure: ReadFailure) -> String {
        switch failure {
        case .noLeader: noLeaderText
        case .notConfirmed:
            "LOADING the leader did not confirm the read for \(limits.parkTimeout.milliseconds) ms, or this node lags "
                + "behind; try again"
        case .stopping: text(of: WriteFailure.stopping)
        }
    }

    private var noLeaderText: String {
        let description = backend.description()
        return "LOADING no leader for \(limits.parkTimeout.milliseconds) ms (term \(description.term), "
            + "\(description.voters.count) voters); command not executed, try again"
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
