import ByteCoding
import KeyValue
import RedisServer
import Synchronization

/// A backend whose consensus is the test: segments and reads wait until the test lets them through, to a real state
/// machine over memory.
///
/// `@unchecked Sendable`: everything runs on the test's thread, the embedded event loop's.
final class FakeBackend: CommandBackend, @unchecked Sendable {
    struct Submission {
        var segment: Segment
        var ticket: UInt64
        var sink: any CompletionSink
    }

    var isReady = true
    var readsAreLocal = false
    var admission = WriteAdmission.all
    /// Makes reads from memory say that they need the disk.
    var isCold = false
    private(set) var submissions: [Submission] = []
    private(set) var reads: [(ticket: UInt64, sink: any CompletionSink)] = []
    private(set) var blocking: [@Sendable () -> Void] = []
    private let store = MemoryStateStore()
    private let machine: KeyValueMachine<MemoryStateStore>
    private var index: UInt64 = 0

    init() { machine = KeyValueMachine(store: store, group: 1) }

    func submit(segment: Segment, ticket: UInt64, sink: any CompletionSink) {
        submissions.append(Submission(segment: segment, ticket: ticket, sink: sink))
    }

    func requestReads(ticket: UInt64, sink: any CompletionSink) { reads.append((ticket, sink)) }
    func runBlocking(_ body: @escaping @Sendable () -> Void) { blocking.append(body) }
    var reader: any KeyValueReading { Reader(backend: self) }
    func usage() -> NodeUsage { NodeUsage(estimatedKeys: 0, residentBytes: 1) }
    func statusJSON() -> String { "{}" }
    private(set) var admin: [(request: AdminRequest, reply: @Sendable (AdminReply) -> Void)] = []
    func administer(_ request: AdminRequest, reply: @escaping @Sendable (AdminReply) -> Void) {
        admin.append((request, reply))
    }

    func noSpaceText() -> String { "NOSPACE in this test" }
    func storeFailed(_ error: StateStoreError) { preconditionFailure("\(error)") }

    func description() -> NodeDescription {
        NodeDescription(
            isLeader: true, role: "leader", term: 3, leaderNode: 1, leaderRedis: ("127.0.0.1", 6400), commitIndex: 7,
            appliedIndex: 7, voters: [1], followers: [], version: "test", node: 1, uptimeSeconds: 5, redisPort: 6400)
    }

    // MARK: - What the test does

    /// Applies the first segment that waits, and answers it.
    func commitFirst() throws {
        let submission = submissions.removeFirst()
        index += 1
        let origin = Origin(node: 1, incarnation: 1, sequence: index)
        let payload = Block.encode(stamp: 1, segments: [submission.segment.sign(origin)])
        var result: [Outcome] = []
        let unit = ApplyUnit(position: Bytes("p"), index: index, payload: payload)
        try machine.apply([unit], settlingFor: 1, incarnation: 1) { _, outcomes in result = outcomes }
        submission.sink.writesCompleted([WriteResult(ticket: submission.ticket, outcomes: .success(result))])
    }

    /// Answers a waiting segment with a failure, without applying it.
    func fail(at position: Int, _ failure: WriteFailure) {
        let submission = submissions.remove(at: position)
        submission.sink.writesCompleted([WriteResult(ticket: submission.ticket, outcomes: .failure(failure))])
    }

    func confirmReads() {
        for (ticket, sink) in reads { sink.readsReady(through: ticket) }
        reads = []
    }

    func failReads() {
        for (ticket, sink) in reads { sink.readsFailed(through: ticket, .noLeader) }
        reads = []
    }

    func runBlockingWork() { for body in takeBlockingWork() { body() } }

    func takeBlockingWork() -> [@Sendable () -> Void] {
        defer { blocking = [] }
        return blocking
    }

    private struct Reader: KeyValueReading {
        let backend: FakeBackend

        func get(
            _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> Void
        ) throws(StateStoreError) {
            if tier == .memory, backend.isCold { throw StateStoreError(.wouldBlock, "cold") }
            return try ReadCommand.withValue(of: key, in: backend.store, group: 1, tier: tier, body)
        }

        func execute(_ command: ReadCommand, tier: ReadTier) throws(StateStoreError) -> Outcome {
            if tier == .memory, backend.isCold { throw StateStoreError(.wouldBlock, "cold") }
            return try command.run(on: backend.store, group: 1, tier: tier)
        }
    }
}
