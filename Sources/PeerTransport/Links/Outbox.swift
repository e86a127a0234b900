import Raft
import Synchronization

/// The queue of one peer, shared by the threads that send and the event loop that empties it.
///
/// The lock is held for queue operations only, never while encoding, writing or calling anyone.
final class Outbox: Sendable {
    private let state: Mutex<State>

    private struct State: Sendable {
        var queue: OutboundQueue
        var traffic = OutboundTraffic()
        /// The event loop was told and has not looked yet.
        var isWakePending = false
    }

    init(limits: PeerTransportLimits) { state = Mutex(State(queue: OutboundQueue(limits: limits))) }

    /// Offers those of the messages that are for `node`, in order; what is not taken is appended to `refused`.
    ///
    /// - Returns: how many were for `node`, and whether the event loop must be woken to look.
    func offer(
        _ messages: [PeerMessage], for node: NodeID, refused: inout [PeerMessage]
    ) -> (matching: Int, mustWake: Bool) {
        state.withLock { state in
            var matching = 0
            for message in messages where message.to == node {
                matching += 1
                if !state.queue.offer(message) { refused.append(message) }
            }
            let mustWake = state.queue.queuedMessages > 0 && !state.isWakePending
            if mustWake { state.isWakePending = true }
            return (matching, mustWake)
        }
    }

    /// The event loop looks now: messages offered from here on need another wake.
    func acknowledgeWake() { state.withLock { $0.isWakePending = false } }

    func open(maxMessageBytes: Int) {
        state.withLock {
            $0.queue.open(maxMessageBytes: maxMessageBytes)
            $0.traffic.connects += 1
        }
    }

    /// Takes no more messages; those in the queue still go out.
    func seal() { state.withLock { $0.queue.seal() } }

    func close() { state.withLock { $0.queue.close() } }

    /// Loses what is queued, for a network that is cut on purpose.
    ///
    /// - Returns: how many messages that were.
    func removeAll() -> Int { state.withLock { $0.queue.removeAll() } }

    func takeControl() -> PeerMessage? { state.withLock { $0.queue.takeControl() } }

    func takeBulk(fitting room: Int) -> PeerMessage? { state.withLock { $0.queue.takeBulk(fitting: room) } }

    func recordSent(frames: UInt64, bytes: Int) {
        state.withLock {
            $0.traffic.sentFrames += frames
            $0.traffic.sentBytes += UInt64(bytes)
        }
    }

    func record<Result: Sendable>(_ change: (inout OutboundTraffic) -> Result) -> Result {
        state.withLock { change(&$0.traffic) }
    }

    /// Puts what this side of the link knows into the peer's statistics.
    func describe(into statistics: inout PeerStatistics) {
        state.withLock { state in
            statistics.isConnected = state.queue.isOpen
            statistics.queuedMessages = state.queue.queuedMessages
            statistics.queuedBytes = state.queue.queuedBytes
            statistics.droppedByLimit = state.queue.droppedByLimit
            statistics.droppedByDisconnect = state.queue.droppedByDisconnect
            statistics.sentFrames = state.traffic.sentFrames
            statistics.sentBytes = state.traffic.sentBytes
            statistics.connects = state.traffic.connects
            statistics.identity = state.traffic.identity
            statistics.refusal = state.traffic.refusal
            statistics.lastFailure = state.traffic.lastFailure
            statistics.roundTrip = state.traffic.roundTrip
        }
    }
}

/// What is remembered of a dialled link for `PeerStatistics`, whose fields these are.
struct OutboundTraffic: Sendable {
    var sentFrames: UInt64 = 0
    var sentBytes: UInt64 = 0
    var connects: UInt64 = 0
    var identity: PeerIdentity?
    var refusal: String?
    var lastFailure: String?
    var roundTrip: Duration?
}
