import ByteCoding
import KeyValue
import Testing

/// A write command in words, e.g. `SET k v NX GET`; `''` is the empty string. Sessions: `OPEN idle window max`,
/// `CLOSE 3-0`, `ONCE 3-0 7 SET k v`.
struct TextCommand: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    var words: [String]

    init(_ words: [String]) { self.words = words }

    init(stringLiteral text: String) {
        words = text.split(separator: " ").map { $0 == "''" ? "" : String($0) }
    }

    var description: String { words.map { $0.isEmpty ? "''" : $0 }.joined(separator: " ") }

    /// Encodes the command as the server does: every argument straight from the buffer that it lies in.
    func encode(into writer: inout SegmentWriter) {
        if encodeSession(into: &writer) { return }
        var bytes: [UInt8] = []
        let ranges = words.map { word in
            bytes.append(contentsOf: word.utf8)
            return bytes.count - word.utf8.count..<bytes.count
        }
        bytes.withUnsafeBytes { buffer in
            let argument = { UnsafeRawBufferPointer(rebasing: buffer[ranges[$0]]) }
            switch words[0] {
            case "SET":
                writer.set(
                    key: argument(1), value: argument(2), condition: condition(argument), returnOld: words.last == "GET"
                )
            case "DEL": writer.delete(count: words.count - 1) { argument($0 + 1) }
            case "APPEND": writer.append(key: argument(1), suffix: argument(2))
            case "INCRBY": writer.increment(key: argument(1), by: Int64(words[2])!)
            case "MSET": writer.multiSet(count: words.count / 2) { (argument($0 * 2 + 1), argument($0 * 2 + 2)) }
            case "FLUSHALL": writer.flushAll()
            default: preconditionFailure("\(self)")
            }
        }
    }

    private func encodeSession(into writer: inout SegmentWriter) -> Bool {
        switch words[0] {
        case "OPEN":
            let numbers = words.dropFirst().map { UInt64($0)! }
            writer.openSession(
                SessionLimits(
                    idleMilliseconds: numbers[0], window: UInt32(numbers[1]), maxSessions: UInt32(numbers[2])))
        case "CLOSE": writer.closeSession(SessionID(Bytes(words[1]))!)
        case "ONCE":
            let command = TextCommand(Array(words[3...]))
            writer.once(SessionID(Bytes(words[1]))!, sequence: UInt64(words[2])!) { command.encode(into: &$0) }
        default: return false
        }
        return true
    }

    private func condition(_ argument: (Int) -> UnsafeRawBufferPointer) -> SetCondition {
        switch words.dropFirst(3).first {
        case "NX": .ifAbsent
        case "XX": .ifPresent
        case "IFEQ": .ifEqual(argument(4))
        default: .none
        }
    }
}

func segment(_ commands: [TextCommand], _ origin: Origin) -> Bytes {
    var writer = SegmentWriter()
    for command in commands { command.encode(into: &writer) }
    return writer.finish().sign(origin)
}

extension Origin {
    /// The process under test.
    static func own(_ sequence: UInt64) -> Origin { Origin(node: 1, incarnation: 77, sequence: sequence) }
}

/// One replica of one group.
struct Replica<Store: StateStore> {
    let store: Store
    let machine: KeyValueMachine<Store>
    let group: UInt64

    init(_ store: Store, group: UInt64 = 7) {
        self.store = store
        self.group = group
        machine = KeyValueMachine(store: store, group: group)
    }

    struct Settled: Equatable {
        var origin: Origin
        var outcomes: [Outcome]
    }

    @discardableResult
    func apply(_ units: [ApplyUnit]) throws(ApplyError) -> [Settled] {
        var settled: [Settled] = []
        try machine.apply(units, settlingFor: 1, incarnation: 77) { settled.append(Settled(origin: $0, outcomes: $1)) }
        return settled
    }

    /// Applies each command as a unit of its own; returns the outcomes.
    func applyOneByOne(_ commands: [TextCommand]) throws(ApplyError) -> [Outcome] {
        var outcomes: [Outcome] = []
        for (index, command) in commands.enumerated() {
            outcomes += try apply([unit(UInt64(index + 1), [command])])[0].outcomes
        }
        return outcomes
    }

    /// Applies all commands as one unit; returns the outcomes.
    func applyTogether(_ commands: [TextCommand]) throws(ApplyError) -> [Outcome] {
        try apply([unit(1, commands)])[0].outcomes
    }

    /// Everything stored, the applied record too, in order.
    func dump() throws -> [Pair] { try dump(from: Bytes(), to: Bytes([UInt8](repeating: 0xFF, count: 64))) }

    func dump(from lower: Bytes, to upper: Bytes) throws -> [Pair] {
        var pairs: [Pair] = []
        try store.scan(from: lower, to: upper) { key, value in
            pairs.append(Pair(key: Bytes(copying: key), value: Bytes(copying: value)))
            return true
        }
        return pairs
    }

    /// The sessions that the state holds, in the order in which they were opened.
    func sessions() throws -> [SessionID] {
        let familyOffset = 8
        let prefix = try #require(try dump().first).key.slice(0..<familyOffset)
        return try dump().map(\.key)
            .filter { $0.slice(0..<familyOffset) == prefix && $0[familyOffset] == 0x12 }
            .map { key in
                var reader = ByteReader(key.slice(familyOffset + 1..<key.count))
                let index = try reader.u64BigEndian("index")
                return SessionID(index: index, ordinal: try reader.u32("ordinal").byteSwapped)
            }
    }

    /// The user's keys and values.
    func values() throws -> [String: String] {
        let (lower, upper) = StateKey.userRange(group: group)
        var values: [String: String] = [:]
        try store.scan(from: lower, to: upper) { key, stored in
            let name = String(decoding: key.dropFirst(StateKey.userPrefixBytes), as: UTF8.self)
            values[name] = (try? ValueHeader.decode(stored)).map { String(decoding: $0.value, as: UTF8.self) }
            return true
        }
        return values
    }
}

struct Pair: Hashable, CustomStringConvertible {
    var key: Bytes
    var value: Bytes
    var description: String { "\(hex(key)): \(hex(value))" }
}

func unit(_ index: UInt64, _ commands: [TextCommand], origin: Origin? = nil, stamp: UInt64? = nil) -> ApplyUnit {
    unit(index, segments: [segment(commands, origin ?? .own(index))], stamp: stamp)
}

func unit(_ index: UInt64, segments: [Bytes], stamp: UInt64? = nil) -> ApplyUnit {
    let payload = Block.encode(stamp: stamp ?? 1_000 + index, segments: segments)
    return ApplyUnit(position: Bytes("at \(index)"), index: index, payload: payload)
}

func hex(_ bytes: Bytes) -> String {
    bytes.array.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func unhex(_ text: String) -> Bytes {
    let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    return Bytes(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
}

/// SplitMix64: a seed names a run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
