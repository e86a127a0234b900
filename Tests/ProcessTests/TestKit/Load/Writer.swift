import RESP

/// One thread of a `WriteLoad`.
struct Writer {
    /// How many keys it overwrites in turn, and how many items a list gets before the next one is begun.
    private static let overwrittenKeys = 8
    private static let itemsPerList = 100
    private static let replyTimeout = Duration.seconds(10)

    private let ports: [UInt16]
    private let prefix: String
    private let clock: AcknowledgementClock
    private var target: Int
    private var connection: RedisConnection?
    /// To another node, for reading back.
    private var reader: RedisConnection?
    private var record = WriterRecord()
    private var sequence = 0
    private var generations = [Int](repeating: 0, count: Writer.overwrittenKeys)
    private var lastAcknowledged: ContinuousClock.Instant?

    private enum Outcome {
        case acknowledged(Reply)
        case refused
        case unknown
        /// Nothing was sent.
        case nothing
    }

    init(ports: [UInt16], number: Int, prefix: String, clock: AcknowledgementClock) {
        self.ports = ports
        self.prefix = prefix
        self.clock = clock
        target = number % ports.count
    }

    mutating func run(until stop: StopFlag) -> WriterRecord {
        while !stop.isRaised {
            sequence += 1
            switch sequence % 8 {
            case 0: increment()
            case 1: append()
            case 2, 3, 4: set(key: "\(prefix)-u\(sequence)")
            default: overwrite()
            }
        }
        return record
    }

    private mutating func overwrite() {
        let slot = sequence % Self.overwrittenKeys
        let key = "\(prefix)-o\(slot)-\(generations[slot])"
        set(key: key)
        if record.registers[key]?.unknown != nil { generations[slot] += 1 }
    }

    private mutating func set(key: String) {
        let value = "\(prefix)-v\(sequence)"
        switch perform(["SET", key, value]) {
        case .acknowledged(.ok):
            record.registers[key, default: RegisterRecord()].acknowledged = value
            if sequence.isMultiple(of: 4) { readBack(key, value) }
        case .acknowledged(let reply): record.violations.append("SET \(key) was answered \(reply)")
        case .refused: record.registers[key, default: RegisterRecord()].refused.insert(value)
        case .unknown: record.registers[key, default: RegisterRecord()].unknown = value
        case .nothing: break
        }
    }

    private mutating func increment() {
        let key = "\(prefix)-c"
        var counter = record.counters[key] ?? CounterRecord()
        switch perform(["INCR", key]) {
        case .acknowledged(.integer(let value)):
            counter.acknowledged += 1
            if value < counter.acknowledged || value > counter.acknowledged + counter.unknown {
                record.violations.append(
                    "INCR \(key) answered \(value) after \(counter.acknowledged) acknowledged, \(counter.unknown) unknown"
                )
            }
        case .acknowledged(let reply): record.violations.append("INCR \(key) was answered \(reply)")
        case .unknown: counter.unknown += 1
        case .refused, .nothing: break
        }
        record.counters[key] = counter
    }

    private mutating func append() {
        let key = "\(prefix)-l\(sequence / (8 * Self.itemsPerList))"
        let item = "\(sequence)"
        switch perform(["APPEND", key, item + ";"]) {
        case .acknowledged(.integer): record.lists[key, default: ListRecord()].acknowledged.append(item)
        case .acknowledged(let reply): record.violations.append("APPEND \(key) was answered \(reply)")
        case .unknown: record.lists[key, default: ListRecord()].unknown.insert(item)
        case .refused, .nothing: break
        }
    }

    /// Sends one write and says what its reply, or the lack of one, promises.
    private mutating func perform(_ command: Command) -> Outcome {
        if connection == nil { connection = try? RedisConnection(port: ports[target], timeout: Self.replyTimeout) }
        guard let connection else {
            moveOn()
            return .nothing
        }
        let begun = ContinuousClock.now
        guard let reply = try? connection.call(command) else {
            record.unknown += 1
            moveOn()
            return .unknown
        }
        guard let word = reply.errorWord else {
            noteAcknowledgement(begun: begun)
            return .acknowledged(reply)
        }
        if word == ErrorWord.unknownOutcome {
            record.unknown += 1
            return .unknown
        }
        if !ErrorWord.notApplied.contains(word) { record.violations.append("\(command) was answered \(reply)") }
        record.refused[String(word), default: 0] += 1
        moveOn()
        return .refused
    }

    private mutating func noteAcknowledgement(begun: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        if let lastAcknowledged { record.longestGap = max(record.longestGap, now - lastAcknowledged) }
        lastAcknowledged = now
        record.acknowledged += 1
        clock.tick(begun: begun, ended: now)
    }

    /// To the next node, after a breath.
    private mutating func moveOn() {
        connection = nil
        target = (target + 1) % ports.count
        pause(.milliseconds(10))
    }

    /// A linearizable store shows an acknowledged write at once, wherever one looks. No answer is no violation.
    private mutating func readBack(_ key: String, _ value: String) {
        if reader == nil {
            let port = ports[(target + 1 + sequence / 4 % max(ports.count - 1, 1)) % ports.count]
            reader = try? RedisConnection(port: port, timeout: .seconds(3))
        }
        guard let reader else { return }
        guard let reply = try? reader("GET", key), reply.errorText == nil else {
            self.reader = nil
            return
        }
        if reply != .text(value) {
            record.violations.append("stale read: GET \(key) = \(reply), \(value) acknowledged")
        }
        if sequence.isMultiple(of: 64) { self.reader = nil }
    }
}
