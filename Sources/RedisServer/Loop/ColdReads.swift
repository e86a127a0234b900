import ByteCoding
import KeyValue
import NIOCore

/// The reads of one turn of an event loop that need the disk: they go to threads that may wait for it in a few groups,
/// however many they are, and come back in as few. A hand-over each way for every read would cost more than a read of
/// a block that lies in the page cache. As long as they all lie there, the event loop takes its part.
///
/// Confined to its event loop.
final class ColdReads {
    private struct Answer: Sendable {
        var result: Result<Outcome, StateStoreError>
        var nanoseconds: Int64

        init(_ read: ReadCommand, on backend: any CommandBackend) {
            let start = NIODeadline.now()
            do throws(StateStoreError) {
                result = .success(try backend.reader.execute(read, tier: .all))
            } catch {
                backend.storeFailed(error)
                result = .failure(error)
            }
            nanoseconds = (NIODeadline.now() - start).nanoseconds
        }
    }

    /// Reads of one group. Those of a slow disk wait for each other.
    private static let groupLimit = 16
    /// A group is sent back in parts when its values are longer than this.
    private static let maxGatheredBytes = 1 << 20
    /// With fewer a quick disk is not worth a hand-over.
    private static let fewestShared = 4

    private var reads: [ReadCommand] = []
    private var connections: [ConnectionHandler] = []
    private var pace = DiskPace()

    func add(_ read: ReadCommand, for connection: ConnectionHandler) {
        reads.append(read)
        connections.append(connection)
    }

    /// Executes what was added, and has its connections told. On the event loop, to which results come back.
    func start(on backend: any CommandBackend, from eventLoop: any EventLoop) {
        guard !reads.isEmpty else { return }
        let (reads, connections) = (self.reads, self.connections)
        self.reads.removeAll(keepingCapacity: true)
        self.connections.removeAll(keepingCapacity: true)
        let own = ownShare(of: reads)
        // Two groups at least if all are handed over: there are several threads.
        let size = max(1, min(Self.groupLimit, own == 0 ? (reads.count + 1) / 2 : reads.count - own))
        for start in stride(from: own, to: reads.count, by: size) {
            let range = start..<min(start + size, reads.count)
            handOver(Array(reads[range]), of: Array(connections[range]), to: backend, from: eventLoop)
        }
        for (read, connection) in zip(reads, connections).prefix(own) {
            finish(connection, Answer(read, on: backend))
        }
    }

    /// How many of the reads, from the first on, this thread executes itself.
    private func ownShare(of reads: [ReadCommand]) -> Int {
        guard pace.isQuick, reads.allSatisfy(\.isShort) else { return 0 }
        return reads.count < Self.fewestShared ? reads.count : reads.count / 2
    }

    private func handOver(
        _ reads: [ReadCommand], of connections: [ConnectionHandler], to backend: any CommandBackend,
        from eventLoop: any EventLoop
    ) {
        let bound = NIOLoopBound((self, connections), eventLoop: eventLoop)
        backend.runBlocking {
            Self.execute(reads, on: backend) { position, answers in
                eventLoop.execute {
                    let (coldReads, connections) = bound.value
                    for (connection, answer) in zip(connections[position...], answers) {
                        coldReads.finish(connection, answer)
                    }
                }
            }
        }
    }

    private func finish(_ connection: ConnectionHandler, _ answer: Answer) {
        pace.note(answer.nanoseconds)
        connection.coldReadDone(answer.result)
    }

    /// - Parameter deliver: gets the position of the first read and the results from there on.
    private static func execute(
        _ reads: [ReadCommand], on backend: any CommandBackend, _ deliver: (Int, [Answer]) -> Void
    ) {
        var answers: [Answer] = []
        var (delivered, bytes) = (0, 0)
        for read in reads {
            let answer = Answer(read, on: backend)
            if case .success(let outcome) = answer.result { bytes += outcome.valueBytes }
            answers.append(answer)
            if bytes > maxGatheredBytes {
                deliver(delivered, answers)
                delivered += answers.count
                (answers, bytes) = ([], 0)
            }
        }
        if !answers.isEmpty { deliver(delivered, answers) }
    }
}

extension ReadCommand {
    /// It asks for one key.
    fileprivate var isShort: Bool {
        switch self {
        case .get, .valueLength: true
        default: false
        }
    }
}

extension Outcome {
    /// Bytes of the values in it.
    fileprivate var valueBytes: Int {
        switch self {
        case .value(let bytes): bytes.count
        case .values(let values): values.reduce(0) { $0 + ($1?.count ?? 0) }
        default: 0
        }
    }
}
