import ByteCoding
import KeyValue
import NIOCore

/// The reads of one turn of an event loop that need the disk. Those of one key go to the threads that may wait for it in
/// a few groups, however many they are, and come back in as few: a hand-over each way for every read would cost more than
/// a read of a block that lies in the page cache. Others may take long, and go by themselves.
///
/// Confined to its event loop.
final class ColdReads {
    private typealias Answer = Result<Outcome, StateStoreError>

    /// Reads of one group.
    private static let groupLimit = 16
    /// A turn's reads go in at least so many groups, if they are as many: to different threads.
    private static let fewestGroups = 2
    /// A group comes back in parts when its values are longer than this, or its reads take longer.
    private static let maxGatheredBytes = 1 << 20
    private static let maxGatheringTime = TimeAmount.milliseconds(1)

    private var reads: [ReadCommand] = []
    private var connections: [ConnectionHandler] = []

    func add(_ read: ReadCommand, for connection: ConnectionHandler) {
        reads.append(read)
        connections.append(connection)
    }

    /// Executes what was added, and has its connections told. On the event loop, to which results come back.
    func start(on backend: any CommandBackend, from eventLoop: any EventLoop) {
        guard !reads.isEmpty else { return }
        let size = min(Self.groupLimit, (reads.count + Self.fewestGroups - 1) / Self.fewestGroups)
        var start = 0
        while start < reads.count {
            var end = start + 1
            while end < reads.count, end - start < size, reads[end - 1].isShort, reads[end].isShort { end += 1 }
            handOver(Array(reads[start..<end]), of: Array(connections[start..<end]), to: backend, from: eventLoop)
            start = end
        }
        reads.removeAll(keepingCapacity: true)
        connections.removeAll(keepingCapacity: true)
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
        var start = NIODeadline.now()
        for read in reads {
            do throws(StateStoreError) {
                let outcome = try reader.execute(read, tier: .all)
                bytes += outcome.valueBytes
                answers.append(.success(outcome))
            } catch {
                backend.storeFailed(error)
                answers.append(.failure(error))
            }
            guard bytes > maxGatheredBytes || NIODeadline.now() - start > maxGatheringTime else { continue }
            deliver(delivered, answers)
            delivered += answers.count
            (answers, bytes, start) = ([], 0, .now())
        }
        if !answers.isEmpty { deliver(delivered, answers) }
    }
}

extension ReadCommand {
    /// It asks for one key.
    fileprivate var isShort: Bool {
        switch self {
        case .get, .valueLength: true
        case .multiGet, .exists, .countKeys: false
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
