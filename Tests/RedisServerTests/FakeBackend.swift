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
        var mayWait: Bool
    }

    var isReady = true
    var readsAreLocal = false
    var admission = WriteAdmission.all
    /// Makes reads from memory say that they need the disk.
    var isCold = false
    /// How often memory was searched, and how many reads the disk was asked for.
    private(set) var looks = 0
    private(set) var diskReads = 0
    /// Which read of the disk fails, counted from 1.
    var failingDiskRead = 0
    private(set) var failures: [StateStoreError] = []
    /// Called before each read of the disk, and each submission.
    var onDiskRead: (Int) -> Void = { _ in }
    var onSubmit: () -> Void = {}
    private(set) var submissions: [Submission] = []
    private(set) var reads: [(ticket: UInt64, sink: any CompletionSink)] = []
    private(set) var blocking: [@Sendable () -> Void] = []
    private let store = MemoryStateStore()
    private let machine: KeyValueMachine<MemoryStateStore>
    private var index: UInt64 = 0

    init() { machine = KeyValueMachine(store: store, group: 1) }

    func submit(segment: Segment, ticket: UInt64, sink: any CompletionSink, mayWait: Bool) {
        onSubmit()
        submissions.append(Submission(segment: segment, ticket: ticket, sink: sink, mayWait: mayWait))
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
    func storeFailed(_ error: StateStoreError) { failures.append(error) }

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

    private func beginRead(_ tier: ReadTier) throws(StateStoreError) {
        guard tier == .all else {
            looks += 1
            if isCold { throw StateStoreError(.wouldBlock, "cold") }
            return
        }
        diskReads += 1
        onDiskRead(diskReads)
        if diskReads == failingDiskRead { throw StateStoreError(.corruption, "broken in this test") }
    }

    private struct Reader: KeyValueReading {
        let backend: FakeBackend

        func get(
            _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> Void
        ) throws(StateStoreError) {
            try backend.beginRead(tier)
            return try ReadCommand.withValue(of: key, in: backend.store, group: 1, tier: tier, body)
        }

        func execute(_ command: ReadCommand, tier: ReadTier) throws(StateStoreError) -> Outcome {
            try backend.beginRead(tier)
            return try command.run(on: backend.store, group: 1, tier: tier)
        }
    }
}
