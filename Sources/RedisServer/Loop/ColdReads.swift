import ByteCoding
import KeyValue
import NIOCore

/// The reads of one turn of an event loop that need the disk: they go to threads that may wait for it in a few groups,
/// however many they are, and come back in as few. A hand-over each way for every read would cost more than a read of
/// a block that lies in the page cache.
///
/// Confined to its event loop.
final class ColdReads {
    private typealias Answer = Result<Outcome, StateStoreError>

    /// Reads of one group. Those of a slow disk wait for each other.
    private static let groupLimit = 16
    /// A group is sent back in parts when its values are longer than this.
    private static let maxGatheredBytes = 1 << 20

    private var reads: [ReadCommand] = []
    private var connections: [ConnectionHandler] = []

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
        // Two groups at least: there are several threads.
        let size = min(Self.groupLimit, (reads.count + 1) / 2)
        for start in stride(from: 0, to: reads.count, by: size) {
            let range = start..<min(start + size, reads.count)
            handOver(Array(reads[range]), of: Array(connections[range]), to: backend, from: eventLoop)
        }
    }

    private func handOver(
        _ reads: [ReadCommand], of connections: [ConnectionHandler], to backend: any CommandBackend,
        from eventLoop: any EventLoop
    ) {
        let connections = NIOLoopBound(connections, eventLoop: eventLoop)
        backend.runBlocking {
            Self.execute(reads, on: backend) { position, answers in
                eventLoop.execute {
                    for (connection, answer) in zip(connections.value[position...], answers) {
                        connection.coldReadDone(answer)
                    }
                }
            }
        }
    }

    /// - Parameter deliver: gets the position of the first read and the results from there on.
    private static func execute(
        _ reads: [ReadCommand], on backend: any CommandBackend, _ deliver: (Int, [Answer]) -> Void
    ) {
        let reader = backend.reader
        var answers: [Answer] = []
        var (delivered, bytes) = (0, 0)
        for read in reads {
            do throws(StateStoreError) {
                let outcome = try reader.execute(read, tier: .all)
                bytes += outcome.valueBytes
                answers.append(.success(outcome))
            } catch {
                backend.storeFailed(error)
                answers.append(.failure(error))
            }
            if bytes > maxGatheredBytes {
                deliver(delivered, answers)
                delivered += answers.count
                (answers, bytes) = ([], 0)
            }
        }
        if !answers.isEmpty { deliver(delivered, answers) }
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
