import ByteCoding
import KeyValue
import PeerTransport
import Raft
import RedisServer
import Synchronization

/// The node as its Redis door sees it.
final class NodeBackend: CommandBackend {
    private let inbox: ConsensusInbox
    private let board: StatusBoard
    private let failure: FailureLatch
    private let pool: BlockingPool
    private let view: NodeView
    private let space: SpaceBoard
    /// Set when recovery is done, before `board.isTaking`.
    private let state = Mutex<(any KeyValueReading)?>(nil)

    init(
        inbox: ConsensusInbox, board: StatusBoard, failure: FailureLatch, pool: BlockingPool, view: NodeView,
        space: SpaceBoard
    ) {
        self.inbox = inbox
        self.board = board
        self.failure = failure
        self.pool = pool
        self.view = view
        self.space = space
    }

    func open(_ reader: any KeyValueReading) {
        state.withLock { $0 = reader }
        board.isTaking = true
    }

    var isReady: Bool { board.isTaking }
    var readsAreLocal: Bool { board.readsAreLocal }

    var admission: WriteAdmission {
        switch space.admission {
        case .all: .all
        case .freeing: .freeing
        case .none: .none
        }
    }

    func noSpaceText() -> String { space.refusalText() }

    var reader: any KeyValueReading {
        guard let reader = state.withLock({ $0 }) else { preconditionFailure("a read before recovery was done") }
        return reader
    }

    func submit(segment: Segment, ticket: UInt64, sink: any CompletionSink, mayWait: Bool) {
        inbox.bring(
            .submitted(Submission(segment: segment, ticket: ticket, sink: sink)), mayWait ? .brief : .none)
    }

    func requestReads(ticket: UInt64, sink: any CompletionSink) {
        inbox.bring(.readsRequested(ReadWaiter(ticket: ticket, sink: sink)))
    }

    func runBlocking(_ body: @escaping @Sendable () -> Void) { pool.run(body) }
    func description() -> NodeDescription { view.description() }
    func usage() -> NodeUsage { view.usage() }
    func statusJSON() -> String { view.document().json }
    func administer(_ request: AdminRequest, reply: @escaping @Sendable (AdminReply) -> Void) {
        switch request {
        case .listMembers: reply(.members(view.members()))
        case .debugNetwork(let words): reply(view.breakNetwork(words))
        case .debugFailpoint(let words): reply(view.orderFailpoint(words))
        case .addMember(let peer, let id, let staysLearner):
            guard HostPort(dialable: peer) != nil else {
                return reply(.failure("ERR '\(peer.prefix(128))' is no HOST:PORT that the other nodes can dial"))
            }
            wish(.reserve(peer: peer, id: id.map { NodeID($0) }, staysLearner: staysLearner), reply)
        case .promote(let node): wish(.promote(NodeID(node)), reply)
        case .remove(let node): wish(.remove(NodeID(node)), reply)
        case .transfer(let target): wish(.transfer(to: target.map { NodeID($0) }), reply)
        }
    }

    private func wish(_ wish: MembershipDesk.Wish, _ reply: @escaping @Sendable (AdminReply) -> Void) {
        inbox.push(.wished(MembershipWish(wish: wish) { [view] answer in reply(view.reply(to: answer)) }))
    }

    func storeFailed(_ error: StateStoreError) { failure.fail(NodeFailure(state: error)) }
}
