import ByteCoding
import Raft
import Testing

@testable import PeerTransport

@Suite("What waits for a peer: two lanes, with limits")
struct QueueTests {
    private static func open(_ limits: PeerTransportLimits) -> OutboundQueue {
        var queue = OutboundQueue(limits: limits)
        queue.open(maxMessageBytes: limits.maxMessageBytes)
        return queue
    }

    /// Offers the messages one after the other.
    private static func offer(_ messages: [PeerMessage], to queue: inout OutboundQueue) -> [Bool] {
        messages.map { queue.offer($0) }
    }

    @Test func `only what must keep the order of appends, or is large, is bulk`() {
        let bulk = PeerMessage.everyKind().filter(\.isBulk)
        #expect(bulk.count == 6)
        for message in bulk {
            switch message {
            case .forward, .comparisonReport: break
            case .room, .comparisonRequest: Issue.record("\(message.kind) is bulk")
            case .raft(let message):
                guard case .appendRequest = message.body else {
                    Issue.record("\(message.body) is bulk")
                    continue
                }
            }
        }
    }

    @Test func `a closed queue takes nothing and counts what it loses`() {
        var queue = OutboundQueue(limits: PeerTransportLimits())
        let before = Self.offer([.heartbeat(1)], to: &queue)
        queue.open(maxMessageBytes: 1000)
        let meanwhile = Self.offer([.heartbeat(2), .append(1, bytes: 10)], to: &queue)
        queue.close()
        let after = Self.offer([.heartbeat(3)], to: &queue)
        #expect([before, meanwhile, after] == [[false], [true, true], [false]])
        #expect(queue.queuedMessages == 0)
        #expect(queue.queuedBytes == 0)
        #expect(queue.droppedByDisconnect == 4)
        #expect(queue.droppedByLimit == 0)
    }

    @Test func `beyond the bytes the newest bulk is refused, and control still goes in`() {
        let bytes = PeerMessage.append(1, bytes: 1000).footprintBytes
        var queue = Self.open(PeerTransportLimits(maxQueuedBytes: 3 * bytes))
        let taken = Self.offer((1...5).map { .append($0, bytes: 1000) } + [.heartbeat(1)], to: &queue)
        #expect(taken == [true, true, true, false, false, true])
        #expect(queue.droppedByLimit == 2)
        #expect(queue.queuedBytes == 3 * bytes)
        let first = queue.takeBulk(fitting: .max)
        #expect(first == .append(1, bytes: 1000))
        let again = Self.offer([.append(6, bytes: 1000)], to: &queue)
        #expect(again == [true])
        let rest = (0..<4).map { _ in queue.takeBulk(fitting: .max) }
        #expect(rest == [.append(2, bytes: 1000), .append(3, bytes: 1000), .append(6, bytes: 1000), nil])
        #expect(queue.queuedBytes == 0)
    }

    @Test func `the first bulk message is taken even if it alone is above the limit`() {
        var queue = Self.open(PeerTransportLimits(maxQueuedBytes: 100))
        let taken = Self.offer([.append(1, bytes: 1000), .append(2, bytes: 1)], to: &queue)
        #expect(taken == [true, false])
    }

    @Test func `each lane has a limit of messages`() {
        var queue = Self.open(PeerTransportLimits(maxQueuedMessages: 2))
        let control = Self.offer((1...3).map { .heartbeat($0) }, to: &queue)
        let bulk = Self.offer((1...3).map { .append($0, bytes: 1) }, to: &queue)
        #expect(control == [true, true, false])
        #expect(bulk == [true, true, false])
        #expect(queue.droppedByLimit == 2)
    }

    @Test func `a message larger than either side takes is refused, not sent to break the link`() {
        var queue = OutboundQueue(limits: PeerTransportLimits())
        let message = PeerMessage.append(1, bytes: 5000)
        queue.open(maxMessageBytes: message.payloadByteCount - 1)
        let tooLarge = Self.offer([message], to: &queue)
        queue.close()
        queue.open(maxMessageBytes: message.payloadByteCount)
        let justRight = Self.offer([message], to: &queue)
        #expect(tooLarge == [false])
        #expect(justRight == [true])
    }

    @Test(arguments: PeerMessage.everyKind() + [.append(1, bytes: 0), .forward(1, bytes: 5000)])
    func `a footprint is never less than the size on the wire`(message: PeerMessage) {
        var writer = ByteWriter()
        message.encodePayload(into: &writer)
        #expect(writer.count == message.payloadByteCount)
        #expect(message.footprintBytes >= message.payloadByteCount + FrameHeader.byteCount)
    }

    @Test func `an outbox wakes the event loop once until it has looked`() {
        let outbox = Outbox(limits: PeerTransportLimits())
        var refused: [PeerMessage] = []
        let closed = outbox.offer([.heartbeat(1)], for: NodeID(2), refused: &refused)
        outbox.open(maxMessageBytes: 1000)
        let first = outbox.offer([.heartbeat(2), .heartbeat(3, to: 7)], for: NodeID(2), refused: &refused)
        let second = outbox.offer([.heartbeat(4)], for: NodeID(2), refused: &refused)
        outbox.acknowledgeWake()
        let third = outbox.offer([.heartbeat(5)], for: NodeID(2), refused: &refused)
        #expect([closed, first, second, third].map(\.mustWake) == [false, true, false, true])
        #expect(first.matching == 1)
        #expect(refused == [.heartbeat(1)])
    }
}

@Suite("What goes to the socket next")
struct BatchTests {
    private static let limits = PeerTransportLimits(maxFrameBytes: 1024)

    private static func batches(_ messages: [PeerMessage]) -> (BatchEncoder, Outbox) {
        let outbox = Outbox(limits: limits)
        outbox.open(maxMessageBytes: 1 << 20)
        var refused: [PeerMessage] = []
        _ = outbox.offer(messages, for: NodeID(2), refused: &refused)
        #expect(refused == [])
        return (BatchEncoder(frames: .sample(maxFrameBytes: limits.maxFrameBytes), outbox: outbox), outbox)
    }

    @Test func `control goes before bulk that was there first`() throws {
        var (batches, _) = Self.batches([.append(1, bytes: 100), .heartbeat(1), .forward(1), .heartbeat(2)])
        let (first, second) = (batches.next(), batches.next())
        #expect(try messages(in: first) == [.heartbeat(1), .heartbeat(2), .append(1, bytes: 100), .forward(1)])
        #expect(second.isEmpty)
    }

    @Test func `one batch carries one frame's worth of bulk, and control that came meanwhile leads the next`() throws {
        var (batches, outbox) = Self.batches((1...10).map { .append($0, bytes: 300) })
        let first = batches.next()
        #expect(first.count <= Self.limits.maxFrameBytes)
        #expect(try messages(in: first) == [.append(1, bytes: 300), .append(2, bytes: 300)])
        var refused: [PeerMessage] = []
        _ = outbox.offer([.heartbeat(1)], for: NodeID(2), refused: &refused)
        let second = batches.next()
        #expect(try messages(in: second).first == .heartbeat(1))
    }

    @Test func `a heartbeat waits for one piece of a large message, not for the message`() throws {
        var (batches, outbox) = Self.batches([.append(1, bytes: 100_000)])
        var stream = batches.next()
        #expect(stream.count <= Self.limits.maxFrameBytes)
        var refused: [PeerMessage] = []
        _ = outbox.offer([.heartbeat(1)], for: NodeID(2), refused: &refused)
        let second = batches.next()
        #expect(try frames(in: second).map(\.header.flags) == [[], [.continues, .continuation]])
        stream = stream + second
        while case let batch = batches.next(), !batch.isEmpty { stream = stream + batch }
        #expect(try messages(in: stream) == [.heartbeat(1), .append(1, bytes: 100_000)])
    }

    @Test func `bulk moves however busy the control lane is`() throws {
        var (batches, _) = Self.batches((1...1000).map { .heartbeat($0) } + [.append(1, bytes: 900)])
        let first = try messages(in: batches.next())
        #expect(first.last == .append(1, bytes: 900))
        #expect(first.count < 20)
    }

    @Test func `after the last piece of one large message the next one begins`() throws {
        let sent = [PeerMessage.append(1, bytes: 3000), .append(2, bytes: 10), .append(3, bytes: 4000)]
        var (batches, _) = Self.batches(sent)
        var stream = Bytes()
        while case let batch = batches.next(), !batch.isEmpty {
            #expect(batch.count <= 2 * Self.limits.maxFrameBytes)
            stream = stream + batch
        }
        #expect(try messages(in: stream) == sent)
    }
}
