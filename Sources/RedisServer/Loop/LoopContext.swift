import ByteCoding
import DequeModule
import KeyValue
import NIOCore
import Synchronization

/// What the connections of one event loop share: the arena in which a turn's writes are collected, and the tickets under
/// which writes and reads were handed to the node.
///
/// One hand-off a turn, however many connections: commands are copied once, from the socket's buffer into the arena, in
/// the form in which they will be logged. Nothing waits on a timer: the turn's end is the next task of the loop.
///
/// What is answered while sockets are read is sent at the turn's end, too, connection after connection: a reply sent
/// between two reads would wake its client for this one reply, and the next client for the next.
///
/// Confined to its event loop; only `mailbox` is reached from other threads.
final class LoopContext {
    /// Replies that wait for the turn's end, of all its connections.
    private static let maxGatheredBytes = 256 << 10
    /// Clients with writes in one turn for whose write the loop waits, and how long that may be: decision 0021.
    private static let (crowd, maxBytesWaitedFor) = (16, 32 << 10)

    let eventLoop: any EventLoop
    let backend: any CommandBackend
    /// Kept, since asking for it takes a lock.
    private(set) lazy var reader = backend.reader
    private let maxBatchBytes: Int
    /// Of all loops.
    let waitingWrites: WaitingWrites
    private let mailbox: LoopMailbox

    /// The turn's writes and whose they are, in order.
    private(set) var arena: SegmentWriter
    private var writers: [ConnectionHandler] = []
    /// How many different connections they are; one whose turn came twice counts twice.
    private var writingClients = 0
    private var openReaders: [ConnectionHandler] = []
    /// Connections with replies that leave at the turn's end, and how many bytes they are.
    private var answered: [ConnectionHandler] = []
    private var spare: [ConnectionHandler] = []
    private var gatheredBytes = 0
    private let coldReads = ColdReads()
    private var isTurnEndScheduled = false

    /// The ticket of the arena that is being filled.
    private(set) var writeTicket: UInt64 = 1
    /// The ticket of the reads of this turn.
    private(set) var readTicket: UInt64 = 1
    private var writesInFlight: [UInt64: (connections: [ConnectionHandler], bytes: Int)] = [:]
    private var readsInFlight: Deque<(ticket: UInt64, connections: [ConnectionHandler])> = []
    private(set) var readyThrough: UInt64 = 0

    init(eventLoop: any EventLoop, backend: any CommandBackend, maxBatchBytes: Int, waitingWrites: WaitingWrites) {
        self.eventLoop = eventLoop
        self.backend = backend
        self.maxBatchBytes = maxBatchBytes
        self.waitingWrites = waitingWrites
        arena = SegmentWriter()
        mailbox = LoopMailbox(eventLoop: eventLoop)
        mailbox.attach(to: NIOLoopBound(self, eventLoop: eventLoop))
    }

    /// Lets `encode` add exactly one command to the arena, as the connection's; answers its ticket and its length.
    func addWrite(
        of connection: ConnectionHandler, _ encode: (inout SegmentWriter) -> Void
    ) -> (ticket: UInt64, bytes: Int) {
        let before = arena.byteCount
        encode(&arena)
        if writers.last !== connection { writingClients += 1 }
        writers.append(connection)
        let write = (writeTicket, arena.byteCount - before)
        // In the middle of a turn nobody waits: replies of others are still here.
        if arena.byteCount >= maxBatchBytes { submitWrites(mayWait: false) } else { scheduleTurnEnd() }
        return write
    }

    /// Notes that the connection has a read that waits for its moment; answers its ticket.
    func addRead(of connection: ConnectionHandler) -> UInt64 {
        if openReaders.last !== connection { openReaders.append(connection) }
        scheduleTurnEnd()
        return readTicket
    }

    /// Has a thread that may wait execute the read; `connection.coldReadDone` is called with the result.
    func readCold(_ read: ReadCommand, for connection: ConnectionHandler) {
        coldReads.add(read, for: connection)
        scheduleTurnEnd()
    }

    /// Has `connection.turnEnded` called once: at the turn's end, or at once when much has gathered. Not to be called
    /// while a command is taken.
    func flushAtTurnEnd(_ connection: ConnectionHandler, bytes: Int) {
        answered.append(connection)
        gatheredBytes += bytes
        if gatheredBytes < Self.maxGatheredBytes { scheduleTurnEnd() } else { sendReplies() }
    }

    private func scheduleTurnEnd() {
        guard !isTurnEndScheduled else { return }
        isTurnEndScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.endTurn() }
    }

    private func endTurn() {
        isTurnEndScheduled = false
        // Before the writes: with those, this thread may wait for the disk.
        sendReplies()
        coldReads.start(on: backend, from: eventLoop)
        submitWrites(mayWait: isWorthWaiting)
        guard !openReaders.isEmpty else { return }
        readsInFlight.append((readTicket, openReaders))
        openReaders = []
        backend.requestReads(ticket: readTicket, sink: mailbox)
        readTicket += 1
    }

    private func sendReplies() {
        guard !answered.isEmpty else { return }
        gatheredBytes = 0
        // A client that takes all of its reply may have its next command taken, and so answered, meanwhile.
        var connections = spare
        swap(&connections, &answered)
        for connection in connections { connection.turnEnded() }
        connections.removeAll(keepingCapacity: true)
        spare = connections
    }

    /// Whether this loop may wait for the write of what the turn has brought. With a lone command nobody else here has
    /// sent anything. With a crowd of clients nearly everybody has, and waits for the same write. With a few it is better
    /// handed over, and the next few gathered meanwhile.
    private var isWorthWaiting: Bool {
        arena.byteCount <= Self.maxBytesWaitedFor && (writers.count == 1 || writingClients >= Self.crowd)
    }

    private func submitWrites(mayWait: Bool) {
        guard !arena.isEmpty else { return }
        let segment = arena.finish()
        writesInFlight[writeTicket] = (writers, segment.byteCount)
        waitingWrites.add(segment.byteCount)
        writers = []
        writers.reserveCapacity(64)
        writingClients = 0
        backend.submit(segment: segment, ticket: writeTicket, sink: mailbox, mayWait: mayWait)
        writeTicket += 1
    }

    // MARK: - What the mailbox delivers

    fileprivate func deliver(_ letters: consuming LoopMailbox.Letters) {
        var touched: [ConnectionHandler] = []
        for result in letters.writes {
            guard let (connections, bytes) = writesInFlight.removeValue(forKey: result.ticket) else { continue }
            waitingWrites.add(-bytes)
            complete(connections, with: result, touched: &touched)
        }
        if letters.readyThrough > readyThrough {
            readyThrough = letters.readyThrough
            while let first = readsInFlight.first, first.ticket <= readyThrough {
                readsInFlight.removeFirst()
                touched += first.connections
            }
        }
        if let failure = letters.readFailure {
            while let first = readsInFlight.first, first.ticket <= letters.failedThrough {
                readsInFlight.removeFirst()
                for connection in first.connections { connection.readsFailed(through: first.ticket, failure) }
                touched += first.connections
            }
        }
        for connection in touched { connection.pump() }
    }

    private func complete(
        _ connections: [ConnectionHandler], with result: WriteResult, touched: inout [ConnectionHandler]
    ) {
        switch result.outcomes {
        case .success(let outcomes):
            precondition(
                outcomes.count == connections.count, "\(outcomes.count) outcomes, \(connections.count) commands")
            for (connection, outcome) in zip(connections, outcomes) {
                if connection.writeCompleted(ticket: result.ticket, .success(outcome)) { touched.append(connection) }
            }
        case .failure(let failure):
            for connection in connections {
                if connection.writeCompleted(ticket: result.ticket, .failure(failure)) { touched.append(connection) }
            }
        }
    }
}

/// The way from other threads to a `LoopContext`: what arrives between two turns of the loop is delivered as one task.
final class LoopMailbox: CompletionSink {
    struct Letters: Sendable {
        var writes: [WriteResult] = []
        var readyThrough: UInt64 = 0
        var failedThrough: UInt64 = 0
        var readFailure: ReadFailure?
        var isDeliveryScheduled = false
    }

    private let eventLoop: any EventLoop
    private let letters = Mutex(Letters())
    private let context = Mutex<NIOLoopBound<LoopContext>?>(nil)

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    fileprivate func attach(to context: NIOLoopBound<LoopContext>) { self.context.withLock { $0 = context } }

    func writesCompleted(_ results: [WriteResult]) { post { $0.writes.append(contentsOf: results) } }

    func readsReady(through ticket: UInt64) { post { $0.readyThrough = max($0.readyThrough, ticket) } }

    func readsFailed(through ticket: UInt64, _ failure: ReadFailure) {
        post {
            $0.failedThrough = max($0.failedThrough, ticket)
            $0.readFailure = failure
        }
    }

    private func post(_ change: (inout Letters) -> Void) {
        let mustSchedule = letters.withLock { letters in
            change(&letters)
            defer { letters.isDeliveryScheduled = true }
            return !letters.isDeliveryScheduled
        }
        guard mustSchedule, let context = context.withLock({ $0 }) else { return }
        eventLoop.execute { [self] in
            let taken = letters.withLock { letters in
                defer { letters = Letters() }
                return letters
            }
            context.value.deliver(taken)
        }
    }
}
