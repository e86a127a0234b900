import NIOCore
import NIOPosix
import Raft
import Synchronization

/// The snapshots that this node sends: at most one to each peer. Owns the thread on which their sources are read.
final class OutgoingSnapshots: Sendable {
    private let state = Mutex(State())

    private struct State: Sendable {
        var isStopped = false
        var transfers: [NodeID: SnapshotTransfer] = [:]
        /// One thread, made with the first transfer: snapshots are rare, and share a disk anyway.
        var threads: NIOThreadPool?
    }

    /// Starts the transfer that `make` makes.
    ///
    /// - Returns: one sentence if it may not begin.
    func start(_ node: NodeID, _ make: (NIOThreadPool) -> SnapshotTransfer) -> Result<SnapshotTransfer, Refused> {
        state.withLock { state in
            guard !state.isStopped else { return .failure(Refused(sentence: "this node stops")) }
            guard state.transfers[node] == nil else {
                return .failure(Refused(sentence: "a snapshot is on its way to node \(node) already"))
            }
            let threads = state.threads ?? Self.makeThreads()
            state.threads = threads
            let transfer = make(threads)
            state.transfers[node] = transfer
            return .success(transfer)
        }
    }

    struct Refused: Error {
        var sentence: String
    }

    /// The next transfer to that node may begin.
    func release(_ node: NodeID) { state.withLock { _ = $0.transfers.removeValue(forKey: node) } }

    /// Cancels the transfers to nodes that are peers no more.
    func keepOnly(_ peers: [NodeID: PeerAddress]) {
        let leaving = state.withLock { state in state.transfers.values.filter { peers[$0.node] == nil } }
        for transfer in leaving { transfer.cancel() }
    }

    /// Cancels all, for good; returns when they have ended.
    func stop() async {
        let (transfers, threads) = state.withLock { state in
            state.isStopped = true
            return (Array(state.transfers.values), state.threads)
        }
        for transfer in transfers { transfer.cancel() }
        for transfer in transfers { try? await transfer.whenEnded.get() }
        try? await threads?.shutdownGracefully()
    }

    func describe(into statistics: inout PeerTransportStatistics) {
        let transfers = state.withLock { $0.transfers }
        for index in statistics.peers.indices {
            statistics.peers[index].sendingSnapshot = transfers[statistics.peers[index].node]?.progress
        }
    }

    private static func makeThreads() -> NIOThreadPool {
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        return threads
    }
}
