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
/// What can be answered in the turn is sent at its end, too, connection after connection: a reply sent between two reads
/// would wake its client for this one reply, and the next client for the next.
///
/// Confined to its event loop; only `mailbox` is reached from other threads.
final class LoopContext {
    let eventLoop: any EventLoop
    let backend: any CommandBackend
    /// Kept, since asking for it takes a lock.
    private(set) lazy var reader = backend.reader
    private let maxBatchBytes: Int
    private let mailbox: LoopMailbox

    /// The turn's writes and whose they are, in order.
    private(set) var arena: SegmentWriter
    private var writers: [ConnectionHandler] = []
    private var openReaders: [ConnectionHandler] = []
    /// Connections with replies that leave at the turn's end.
    private var answered: [ConnectionHandler] = []
    private let coldReads = ColdReads()
    /// Of this loop's GETs.
    var memoryHits = MemoryHits()
    private var isTurnEndScheduled = false

    /// The ticket of the arena that is being filled.
    private(set) var writeTicket: UInt64 = 1
    /// The ticket of the reads of this turn.
    private(set) var readTicket: UInt64 = 1
    private var writesInFlight: [UInt64: [ConnectionHandler]] = [:]
    private var readsInFlight: Deque<(ticket: UInt64, connections: [ConnectionHandler])> = []
    private(set) var readyThrough: UInt64 = 0

    init(eventLoop: any EventLoop, backend: any CommandBackend, maxBatchBytes: Int) {
        self.eventLoop = eventLoop
        self.backend = backend
        self.maxBatchBytes = maxBatchBytes
        arena = SegmentWriter()
        mailbox = LoopMailbox(eventLoop: eventLoop)
        mailbox.attach(to: NIOLoopBound(self, eventLoop: eventLoop))
    }

    /// Lets `encode` add exactly one command to the arena, as the connection's; answers its ticket.
    func addWrite(of connection: ConnectionHandler, _ encode: (inout SegmentWriter) -> Void) -> UInt64 {
        encode(&arena)
        writers.append(connection)
        let ticket = writeTicket
        if arena.byteCount >= maxBatchBytes { submitWrites() } else { scheduleTurnEnd() }
        return ticket
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

    /// Has `connection.turnEnded` called once.
    func flushAtTurnEnd(_ connection: ConnectionHandler) {
        answered.append(connection)
        scheduleTurnEnd()
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
        submitWrites()
        guard !openReaders.isEmpty else { return }
        readsInFlight.append((readTicket, openReaders))
        openReaders = []
        backend.requestReads(ticket: readTicket, sink: mailbox)
        readTicket += 1
    }

    private func sendReplies() {
        guard !answered.isEmpty else { return }
        // A client that takes all of its reply may have its next command taken, and so answered, meanwhile.
        let connections = answered
        answered.removeAll(keepingCapacity: true)
        for connection in connections { connection.turnEnded() }
    }

    private func submitWrites() {
        guard !arena.isEmpty else { return }
        writesInFlight[writeTicket] = writers
        writers = []
        writers.reserveCapacity(64)
        backend.submit(segment: arena.finish(), ticket: writeTicket, sink: mailbox)
        writeTicket += 1
    }

    // MARK: - What the mailbox delivers

    fileprivate func deliver(_ letters: consuming LoopMailbox.Letters) {
        var touched: [ConnectionHandler] = []
        for result in letters.writes {
            guard let connections = writesInFlight.removeValue(forKey: result.ticket) else { continue }
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
