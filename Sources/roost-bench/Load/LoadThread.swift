import Foundation

/// Nanoseconds of the monotonic clock.
func monotonicNow() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// The part of a load that one thread makes: connections, their keys, and what came back. A struct without copies, so
/// that nothing in the loop is counted, checked for exclusive access or allocated.
struct LoadThread: ~Copyable {
    private static let readBytes = 256 << 10

    private let plan: LoadPlan
    private let epoll: Epoll
    private let connections: UnsafeMutablePointer<LoadConnection>
    private let connectionCount: Int
    private var writer: CommandWriter
    private var keys: KeyChooser
    /// Commands of one connection before they are sent.
    private let commands: UnsafeMutableRawPointer
    private let received: UnsafeMutableRawBufferPointer
    private var tally = LoadTally()
    private var broken = 0

    /// The time that is counted; nanoseconds.
    private var countedFrom: UInt64 = 0
    private var end: UInt64 = 0
    private var openLoop: OpenLoop?
    private var nextConnection = 0

    /// Connects.
    init(_ plan: LoadPlan, thread: Int, connections count: Int) throws {
        let writer = CommandWriter(valueBytes: plan.workload.valueBytes, seed: plan.seed &+ UInt64(thread))
        let epoll = try Epoll()
        connections = try Self.connect(plan, count, epoll, commandBytes: writer.maxBytes)
        connectionCount = count
        commands = .allocate(byteCount: plan.workload.pipeline * writer.maxBytes, alignment: 8)
        received = .allocate(byteCount: Self.readBytes, alignment: 8)
        keys = KeyChooser(
            plan.workload, records: plan.records, thread: thread, threads: plan.threads, seed: plan.seed)
        tally.perSecond = [Int](repeating: 0, count: Int(plan.time.components.seconds) + 1)
        self.plan = plan
        self.epoll = epoll
        self.writer = writer
    }

    private static func connect(
        _ plan: LoadPlan, _ count: Int, _ epoll: borrowing Epoll, commandBytes: Int
    ) throws -> UnsafeMutablePointer<LoadConnection> {
        let connections = UnsafeMutablePointer<LoadConnection>.allocate(capacity: count)
        var opened = 0
        do {
            while opened < count {
                let connection = try LoadConnection(
                    to: plan.address, pipeline: plan.workload.pipeline, commandBytes: commandBytes)
                (connections + opened).initialize(to: connection)
                opened += 1
                try epoll.add(connection.socket, number: opened - 1)
            }
            return connections
        } catch {
            for number in 0..<opened { connections[number].release() }
            connections.deinitialize(count: opened)
            connections.deallocate()
            throw error
        }
    }

    deinit {
        for number in 0..<connectionCount { connections[number].release() }
        connections.deinitialize(count: connectionCount)
        connections.deallocate()
        commands.deallocate()
        received.deallocate()
    }

    /// Makes the load from `start` on, nanoseconds of the monotonic clock, and waits for what is under way at its end.
    mutating func run(from start: UInt64, thread: Int) throws -> LoadTally {
        countedFrom = start + plan.warmup.nanoseconds
        end = countedFrom + plan.time.nanoseconds
        if let rate = plan.workload.rate {
            openLoop = OpenLoop(start: start, end: end, perSecond: rate, thread: thread, threads: plan.threads)
        }
        sleep(until: start)
        let usedBefore = threadNanoseconds()
        try makeLoad()
        tally.generatorSeconds = Double(threadNanoseconds() - usedBefore) / 1e9
        noteLeftovers()
        return tally
    }

    private mutating func makeLoad() throws {
        if openLoop == nil { for number in 0..<connectionCount { try refill(number) } }
        let limit = end + LoadPlan.drainLimit.nanoseconds
        while true {
            let now = monotonicNow()
            if now >= limit || (isOver(now) && isIdle) || broken == connectionCount { return }
            if openLoop != nil { try sendDue(now) }
            for position in 0..<epoll.wait(nanoseconds: patience(monotonicNow())) { try serve(epoll[position]) }
        }
    }

    /// Until the next operation of an open loop, at most a tenth of a second. Without room only a reply helps.
    private func patience(_ now: UInt64) -> UInt64 {
        let most: UInt64 = 100_000_000
        guard let next = openLoop?.next else { return most }
        if next <= now { return hasRoom ? 0 : most }
        return min(most, next - now)
    }

    private func isOver(_ now: UInt64) -> Bool {
        if plan.workload.traffic == .fill { return keys.isExhausted }
        return openLoop.map { $0.next == nil } ?? (now >= end)
    }

    private var isIdle: Bool {
        (0..<connectionCount).allSatisfy { connections[$0].inFlight == 0 || connections[$0].isBroken }
    }
    private var hasRoom: Bool { (0..<connectionCount).contains { connections[$0].hasRoom } }

    // MARK: Sending

    /// Everything that should have begun by now, over the connections in turn; what finds no room stays due.
    private mutating func sendDue(_ now: UInt64) throws {
        while let moment = openLoop?.due(at: now), let number = connectionWithRoom() {
            openLoop?.advance()
            let count = append(number, begun: moment, to: commands)
            connections[number].send(commands, count)
            try watch(number)
        }
    }

    private mutating func connectionWithRoom() -> Int? {
        for _ in 0..<connectionCount {
            nextConnection = nextConnection + 1 == connectionCount ? 0 : nextConnection + 1
            if connections[nextConnection].hasRoom { return nextConnection }
        }
        return nil
    }

    /// As many operations as the pipeline takes, in one send.
    private mutating func refill(_ number: Int) throws {
        let now = monotonicNow()
        guard !isOver(now), !connections[number].isBroken else { return }
        var count = 0
        for _ in 0..<plan.workload.pipeline where plan.workload.traffic != .fill || !keys.isExhausted {
            count += append(number, begun: now, to: commands + count)
        }
        connections[number].send(commands, count)
        try watch(number)
    }

    /// Draws the next operation.
    ///
    /// - Returns: the length of its command.
    @inline(__always)
    private mutating func append(_ number: Int, begun: UInt64, to target: UnsafeMutableRawPointer) -> Int {
        let traffic = plan.workload.traffic
        let isRead = traffic.reads == 100 || (traffic.reads > 0 && keys.percent() < traffic.reads)
        if isRead { return append(number, Slot(kind: .read, key: keys.existing(), begun: begun), to: target) }
        if traffic.modifies {
            return append(number, Slot(kind: .modifyRead, key: keys.existing(), begun: begun), to: target)
        }
        if traffic.inserts, let key = keys.inserted() {
            return append(number, Slot(kind: .insert, key: key, begun: begun), to: target)
        }
        return append(number, Slot(kind: .update, key: keys.existing(), begun: begun), to: target)
    }

    @inline(__always)
    private mutating func append(_ number: Int, _ slot: Slot, to target: UnsafeMutableRawPointer) -> Int {
        connections[number].push(slot)
        return switch slot.kind {
        case .read, .modifyRead: writer.writeGet(slot.key, to: target)
        case .update, .insert, .modifyWrite: writer.writeSet(slot.key, to: target)
        }
    }

    private func watch(_ number: Int) throws {
        if connections[number].hasPending { try epoll.watch(connections[number].socket, number: number, writing: true) }
    }

    // MARK: Receiving

    private mutating func serve(_ event: Epoll.Event) throws {
        let number = event.number
        if connections[number].isBroken { return }
        if event.canWrite {
            connections[number].sendPending()
            if !connections[number].hasPending {
                try epoll.watch(connections[number].socket, number: number, writing: false)
            }
        }
        while let count = connections[number].receive(into: received) {
            try take(count, number)
            if count < Self.readBytes || connections[number].isBroken { break }
        }
        if connections[number].isBroken {
            loseConnection(number)
        } else if openLoop == nil, connections[number].inFlight == 0 {
            try refill(number)
        }
    }

    private mutating func take(_ count: Int, _ number: Int) throws {
        let bytes = UnsafeRawBufferPointer(rebasing: received[..<count])
        let now = monotonicNow()
        var position = 0
        var followUps = 0
        while let reply = connections[number].matcher.next(bytes, &position) {
            guard let slot = connections[number].pop() else {
                tally.fail("a reply that nothing asked for")
                connections[number].markBroken()
                return
            }
            if complete(slot, reply, number, now) {
                followUps += append(
                    number, Slot(kind: .modifyWrite, key: slot.key, begun: slot.begun), to: commands + followUps)
            }
            if reply == .unexpected { connections[number].markBroken() }
        }
        if followUps > 0, !connections[number].isBroken {
            connections[number].send(commands, followUps)
            try watch(number)
        }
    }

    /// - Returns: whether a read-modify-write goes on with its write.
    @inline(__always)
    private mutating func complete(_ slot: Slot, _ reply: ReplyMatcher.Reply, _ number: Int, _ now: UInt64) -> Bool {
        switch (slot.kind, reply) {
        case (.update, .ok), (.modifyWrite, .ok):
            count(slot, now, isRead: false)
        case (.insert, .ok):
            keys.acknowledge(insertOf: slot.key)
            count(slot, now, isRead: false)
        case (.read, .value(let length, let head)) where isRight(slot, length, head):
            count(slot, now, isRead: true)
        case (.modifyRead, .value(let length, let head)) where isRight(slot, length, head):
            return true
        case (.read, .nothing) where !plan.checksValues:
            tally.misses += 1
            count(slot, now, isRead: true)
        case (.modifyRead, .nothing) where !plan.checksValues:
            tally.misses += 1
            return true
        default:
            tally.fail(describe(slot, reply, number))
        }
        return false
    }

    @inline(__always)
    private func isRight(_ slot: Slot, _ length: Int, _ head: UInt64?) -> Bool {
        guard plan.checksValues else { return true }
        return length == plan.workload.valueBytes && (head == nil || head == slot.key)
    }

    @inline(__always)
    private mutating func count(_ slot: Slot, _ now: UInt64, isRead: Bool) {
        if now >= countedFrom, now < end {
            tally.operations += 1
            tally.perSecond[Int((now - countedFrom) / 1_000_000_000)] += 1
        }
        guard slot.begun >= countedFrom else { return }
        let time = now > slot.begun ? now - slot.begun : 0
        if isRead { tally.reads.record(nanoseconds: time) } else { tally.writes.record(nanoseconds: time) }
    }

    private func describe(_ slot: Slot, _ reply: ReplyMatcher.Reply, _ number: Int) -> String {
        let asked = slot.kind == .read || slot.kind == .modifyRead ? "GET" : "SET"
        switch reply {
        case .error: return "\(asked): \(String(decoding: connections[number].matcher.errorText, as: UTF8.self))"
        case .nothing: return "\(asked): a key that was written is not there"
        case .value where asked == "GET": return "GET: the value is not one that was written to this key"
        default: return "\(asked): a reply of the wrong kind"
        }
    }

    private mutating func loseConnection(_ number: Int) {
        epoll.remove(connections[number].socket)
        tally.fail("a connection broke")
        broken += 1
    }

    /// Operations without a reply count; those that an open loop had no room for count with the time they have waited.
    private mutating func noteLeftovers() {
        for number in 0..<connectionCount { tally.unanswered += connections[number].inFlight }
        let now = monotonicNow()
        while let moment = openLoop?.due(at: now) {
            openLoop?.advance()
            tally.unsent += 1
            if moment >= countedFrom { tally.writes.record(nanoseconds: now - moment) }
        }
    }

    private func threadNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

extension Duration {
    /// Whole nanoseconds.
    ///
    /// - Precondition: not negative.
    var nanoseconds: UInt64 {
        let parts = components
        return UInt64(parts.seconds) * 1_000_000_000 + UInt64(parts.attoseconds / 1_000_000_000)
    }
}
