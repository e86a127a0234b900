import ByteCoding
import KeyValue
import RedisServer
import Synchronization

/// The node as its Redis door sees it.
final class NodeBackend: CommandBackend {
    private let inbox: Inbox<ConsensusEvent>
    private let board: StatusBoard
    private let failure: FailureLatch
    private let pool: BlockingPool
    private let view: NodeView
    /// Set when recovery is done, before `board.isTaking`.
    private let state = Mutex<(any KeyValueReading)?>(nil)

    init(inbox: Inbox<ConsensusEvent>, board: StatusBoard, failure: FailureLatch, pool: BlockingPool, view: NodeView) {
        self.inbox = inbox
        self.board = board
        self.failure = failure
        self.pool = pool
        self.view = view
    }

    func open(_ reader: any KeyValueReading) {
        state.withLock { $0 = reader }
        board.isTaking = true
    }

    var isReady: Bool { board.isTaking }
    var readsAreLocal: Bool { board.readsAreLocal }

    var reader: any KeyValueReading {
        guard let reader = state.withLock({ $0 }) else { preconditionFailure("a read before recovery was done") }
        return reader
    }

    func submit(segment: Segment, ticket: UInt64, sink: any CompletionSink) {
        inbox.push(.submitted(Submission(segment: segment, ticket: ticket, sink: sink)))
    }

    func requestReads(ticket: UInt64, sink: any CompletionSink) {
        inbox.push(.readsRequested(ReadWaiter(ticket: ticket, sink: sink)))
    }

    func runBlocking(_ body: @escaping @Sendable () -> Void) { pool.run(body) }
    func description() -> NodeDescription { view.description() }
    func usage() -> NodeUsage { view.usage() }
    func statusJSON() -> String { view.document().json }
    func storeFailed(_ error: StateStoreError) { failure.fail(NodeFailure(state: error)) }
}
