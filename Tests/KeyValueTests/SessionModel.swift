import ByteCoding
import KeyValue

/// What sessions mean, said as plainly as possible: every reply is kept by its number, and whether it still counts is
/// decided when it is asked for.
struct SessionModel {
    private struct Session {
        var idle: UInt64
        var window: UInt64
        var replies: [UInt64: Outcome] = [:]
        var highest: UInt64 = 0
        var lastUse: Int
        var lastStamp: UInt64

        func isExpired(_ stamp: UInt64) -> Bool { stamp > lastStamp && stamp - lastStamp > idle }
    }

    var keys = NaiveModel()
    private var sessions: [String: Session] = [:]
    private var commands = 0

    var openSessions: [String] { sessions.keys.sorted() }

    mutating func apply(_ command: TextCommand, at version: String, stamp: UInt64) -> Outcome {
        commands += 1
        let words = command.words
        switch words[0] {
        case "OPEN":
            makeRoom(for: Int(words[3])!, stamp)
            sessions[version] = Session(
                idle: UInt64(words[1])!, window: UInt64(words[2])!, lastUse: commands, lastStamp: stamp)
            return .value(Bytes(version))
        case "CLOSE":
            return .integer(take(words[1], stamp) == nil ? 0 : 1)
        case "ONCE":
            guard let session = take(words[1], stamp) else { return .failure(.noSession) }
            sessions[words[1]] = session
            return once(words[1], session, UInt64(words[2])!, TextCommand(Array(words[3...])), stamp)
        default:
            return keys.apply(command)
        }
    }

    private mutating func once(
        _ id: String, _ session: Session, _ sequence: UInt64, _ command: TextCommand, _ stamp: UInt64
    ) -> Outcome {
        var session = session
        if sequence + session.window <= session.highest { return .failure(.staleRequest) }
        if let reply = session.replies[sequence] { return reply }
        let outcome = keys.apply(command)
        session.replies[sequence] = outcome
        session.highest = max(session.highest, sequence)
        (session.lastUse, session.lastStamp) = (commands, stamp)
        sessions[id] = session
        return outcome
    }

    private mutating func makeRoom(for max: Int, _ stamp: UInt64) {
        for _ in 0..<4 {
            guard let (id, session) = sessions.min(by: { $0.value.lastUse < $1.value.lastUse }),
                session.isExpired(stamp) || sessions.count >= max
            else { return }
            sessions[id] = nil
        }
    }

    /// Takes the session out; `nil` if there is none, or one that has expired.
    private mutating func take(_ id: String, _ stamp: UInt64) -> Session? {
        guard let session = sessions.removeValue(forKey: id), !session.isExpired(stamp) else { return nil }
        return session
    }
}

/// A log of commands in and outside of few sessions with small limits, so that repetitions, stale numbers, expiry and
/// eviction are common.
struct SessionLogGenerator {
    struct Log {
        var units: [ApplyUnit] = []
        /// Each command with its position and the stamp of its block, in order.
        var commands: [(command: TextCommand, version: String, stamp: UInt64)] = []
    }

    private var random: SeededGenerator
    private var generator: CommandGenerator
    private var opened: [String] = []
    /// The highest number asked for, by session.
    private var highest: [String: UInt64] = [:]

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        generator = CommandGenerator(seed: ~seed)
    }

    mutating func log(units count: UInt64) -> Log {
        var log = Log()
        var stamp: UInt64 = 1000
        for index in 1...count {
            // Now and then back: a new leader's clock may be behind.
            stamp = stamp &+ UInt64(bitPattern: Int64.random(in: -3...12, using: &random))
            var (ordinal, segments) = (0, [Bytes]())
            for place in 0..<UInt64.random(in: 1...3, using: &random) {
                var commands: [TextCommand] = []
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    let version = "\(index)-\(ordinal)"
                    let command = next(at: version)
                    commands.append(command)
                    log.commands.append((command, version, stamp))
                    ordinal += 1
                }
                segments.append(segment(commands, .own(index * 10 + place)))
            }
            log.units.append(unit(index, segments: segments, stamp: stamp))
        }
        return log
    }

    private mutating func next(at version: String) -> TextCommand {
        switch Int.random(in: 0..<40, using: &random) {
        case 0, 1:
            opened.append(version)
            let (idle, window) = (Int.random(in: 1...150, using: &random), Int.random(in: 1...5, using: &random))
            return TextCommand(["OPEN", "\(idle)", "\(window)", "\(Int.random(in: 1...5, using: &random))"])
        case 2: return TextCommand(["CLOSE", session()])
        case 3...6: return generator.next()
        default:
            // Near the highest number, so that sessions meet new, repeated and stale ones alike.
            let id = session()
            let top = highest[id, default: 1] + UInt64.random(in: 0...1, using: &random)
            highest[id] = top
            let back = min(top - 1, UInt64.random(in: 0...6, using: &random) / 2)
            return TextCommand(["ONCE", id, "\(top - back)"] + generator.next().words)
        }
    }

    private mutating func session() -> String {
        opened.suffix(3).randomElement(using: &random) ?? "999999-0"
    }
}
