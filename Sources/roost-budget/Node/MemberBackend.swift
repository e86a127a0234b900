import ByteCoding
import KeyValue
import Raft
import RedisServer

/// The door's backend over a member that decides alone: segments wait until `turn`, as in the daemon's inbox.
///
/// `@unchecked Sendable`: everything runs on one thread, the embedded event loop's.
final class MemberBackend: CommandBackend, @unchecked Sendable {
    private struct Submission {
        var segment: Segment
        var ticket: UInt64
        var sink: any CompletionSink
    }

    private let member: Member
    private var submissions: [Submission] = []
    private var lastSequence: UInt64 = 0
    let reader: any KeyValueReading

    init(_ member: Member) {
        self.member = member
        reader = Reader()
    }

    var isReady: Bool { true }
    var readsAreLocal: Bool { true }
    var admission: WriteAdmission { .all }
    func noSpaceText() -> String { "" }

    func submit(segment: Segment, ticket: UInt64, sink: any CompletionSink, mayWait: Bool) {
        submissions.append(Submission(segment: segment, ticket: ticket, sink: sink))
    }

    func requestReads(ticket: UInt64, sink: any CompletionSink) { sink.readsReady(through: ticket) }
    func runBlocking(_ body: @escaping @Sendable () -> Void) { body() }
    func usage() -> NodeUsage { NodeUsage(estimatedKeys: 0, residentBytes: 0) }
    func statusJSON() -> String { "{}" }
    func administer(_ request: AdminRequest, reply: @escaping @Sendable (AdminReply) -> Void) {}
    func storeFailed(_ error: StateStoreError) { preconditionFailure("\(error)") }
    func description() -> NodeDescription { preconditionFailure("nobody asks for it") }

    /// Logs and applies what was submitted, and answers.
    func turn() throws {
        guard !submissions.isEmpty else { return }
        var tickets: [(ticket: UInt64, sink: any CompletionSink)] = []
        let first = lastSequence + 1
        member.propose(
            submissions.map { submission in
                lastSequence += 1
                tickets.append((submission.ticket, submission.sink))
                let origin = Origin(
                    node: member.node.rawValue, incarnation: member.node.rawValue, sequence: lastSequence)
                return submission.segment.sign(origin)
            })
        submissions.removeAll(keepingCapacity: true)
        try member.work { origin, outcomes in
            let (ticket, sink) = tickets[Int(origin.sequence - first)]
            sink.writesCompleted([WriteResult(ticket: ticket, outcomes: .success(outcomes))])
        }
    }

    /// Has one value under every key: what is counted is the door's part of a read, and no engine's.
    private struct Reader: KeyValueReading {
        private let stored: Bytes

        init() {
            let header = ValueHeader(version: Version(index: 1, ordinal: 0)).withBytes { [UInt8]($0) }
            stored = Bytes(header + [UInt8](repeating: UInt8(ascii: "x"), count: Sample.valueBytes))
        }

        func get(
            _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> Void
        ) throws(StateStoreError) {
            StateKey.withUser(key, group: Member.group.rawValue) { _ in
                stored.withUnsafeBytes { stored in body(try? ValueHeader.decode(stored).value) }
            }
        }

        func execute(_ command: ReadCommand, tier: ReadTier) throws(StateStoreError) -> Outcome { .null }
    }
}
