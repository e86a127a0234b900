import Glibc
import Logging
import Testing

@testable import RoostNode

@Suite("Logging")
struct LoggingTests {
    /// A logger that writes to a pipe, at a fixed time, and what came out of it.
    private func lines(
        _ format: NodeConfiguration.Log.Format = .text, level: Logger.Level = .trace, isForJournal: Bool = false,
        _ log: (Logger) -> Void
    ) -> [String] {
        let pipe = TestPipe()
        var configuration = NodeConfiguration.Log()
        (configuration.format, configuration.level) = (format, level)
        let handler = RoostLogHandler(
            configuration, isForJournal: isForJournal, output: LogOutput(descriptor: pipe.writing)
        ) {
            UTCTimestamp(seconds: 1_795_224_483, milliseconds: 7)
        }
        log(Logger(label: "test") { _ in handler })
        return pipe.finish()
    }

    @Test func `text is time, level, message and sorted metadata`() {
        let lines = lines {
            $0.notice("became leader", metadata: ["raft.term": "3", "peer.id": "2"])
            $0.debug("odd", metadata: ["b": "two words", "a": "", "c": "x=y", "d": "say \"hi\"", "e": "é", "k k": "1"])
            $0.error("two\nlines\u{1B}[31m \"quoted\"")
        }
        #expect(
            lines == [
                "2026-11-21T01:28:03.007Z notice became leader peer.id=2 raft.term=3",
                #"2026-11-21T01:28:03.007Z debug odd a="" b="two words" c="x=y" d="say \"hi\"" e=é "k k"=1"#,
                #"2026-11-21T01:28:03.007Z error two\nlines\u001B[31m \"quoted\""#,
            ])
    }

    @Test func `json is one object per line`() {
        let lines = lines(.json) {
            $0.warning(
                "a \"b\"\n", metadata: ["z": ["x", "y"], "a": .dictionary(["n": .stringConvertible(1)]), "level": "3"])
        }
        #expect(
            lines == [
                #"{"time":"2026-11-21T01:28:03.007Z","level":"warning","message":"a \"b\"\n","a":{"n":"1"},"metadata.level":"3","z":["x","y"]}"#
            ])
    }

    @Test func `the journal gets priorities, and no time that it has already`() {
        let all: (Logger) -> Void = { logger in Logger.Level.allCases.forEach { logger.log(level: $0, "m") } }
        #expect(
            lines(isForJournal: true, all) == [
                "<7>trace m", "<7>debug m", "<6>info m", "<5>notice m", "<4>warning m", "<3>error m", "<2>critical m",
            ])
        let json = lines(.json, isForJournal: true) { $0.info("m") }
        #expect(json == [#"<6>{"time":"2026-11-21T01:28:03.007Z","level":"info","message":"m"}"#])
    }

    @Test func `events below the level are not written`() {
        #expect(
            lines(level: .notice) {
                $0.info("no"); $0.notice("yes")
            }.count == 1)
    }

    @Test func `metadata of the call wins over the logger's, errors are metadata`() {
        struct Broken: Error {}
        let lines = lines { logger in
            var logger = logger
            logger[metadataKey: "node.id"] = "1"
            logger[metadataKey: "a"] = "logger"
            logger.info("m", metadata: ["a": "call"])
            logger.error("failed", error: Broken())
        }
        #expect(lines[0].hasSuffix(" info m a=call node.id=1"))
        #expect(lines[1].hasSuffix(" error failed a=logger error=Broken() node.id=1"))
    }

    @Test func `lines of many threads stay whole`() async {
        // Longer than PIPE_BUF: the system itself keeps only shorter ones whole.
        let (threads, each, length) = (4, 100, 10_000)
        let pipe = TestPipe()
        // So that the system takes lines in pieces: whoever waits in the middle of one lets the others go on.
        #expect(fcntl(pipe.writing, F_SETFL, O_NONBLOCK) == 0)
        // Threads of their own: the cooperative pool of a small machine would let one writer finish before the next.
        let lines = Thread.run { pipe.readAll() }
        let output = LogOutput(descriptor: pipe.writing)
        let writers = (0..<threads).map { thread in
            Thread.run {
                for _ in 0..<each { output.write(String(repeating: "\(thread)", count: length)) }
            }
        }
        for writer in writers { await writer.value }
        close(pipe.writing)
        let read = await lines.value
        #expect(read.count == threads * each)
        #expect(read.allSatisfy { $0.count == length && Set($0).count == 1 })
    }

    @Test func `a reader that is gone is no reason to die or to spin`() {
        signal(SIGPIPE, SIG_IGN)
        let pipe = TestPipe()
        close(pipe.reading)
        LogOutput(descriptor: pipe.writing).write("lost")
        close(pipe.writing)
    }

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"), (-1, 999, "1969-12-31T23:59:59.999Z"),
        (951_782_400, 1, "2000-02-29T00:00:00.001Z"),
        (951_868_799, 0, "2000-02-29T23:59:59.000Z"), (951_868_800, 0, "2000-03-01T00:00:00.000Z"),
        (1_709_164_800, 0, "2024-02-29T00:00:00.000Z"), (1_735_689_599, 45, "2024-12-31T23:59:59.045Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"), (-2_203_891_200, 0, "1900-03-01T00:00:00.000Z"),
        (253_402_300_799, 0, "9999-12-31T23:59:59.000Z"),
    ]) func `times are those of the Gregorian calendar`(seconds: Int, milliseconds: Int, text: String) {
        #expect("\(UTCTimestamp(seconds: seconds, milliseconds: milliseconds))" == text)
    }

    @Test func `every day of 400 years is the day after the one before`() {
        var last = (1999, 12, 31)
        for day in 10_957..<(10_957 + 146_097) {
            let text = "\(UTCTimestamp(seconds: day * 86_400, milliseconds: 0))"
            let parts = text.prefix(10).split(separator: "-").compactMap { Int($0) }
            let (year, month) = (last.0, last.1)
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
            if last.2 < days {
                last.2 += 1
            } else {
                last = month == 12 ? (year + 1, 1, 1) : (year, month + 1, 1)
            }
            guard parts == [last.0, last.1, last.2] else {
                Issue.record("day \(day) is \(text), expected \(last)")
                return
            }
        }
    }

    @Test func `the journal is the stream that the variable names, nothing else`() {
        let pipe = TestPipe()
        var status = stat()
        fstat(pipe.writing, &status)
        #expect(Journal.isStream("\(status.st_dev):\(status.st_ino)", pipe.writing))
        #expect(!Journal.isStream("\(status.st_dev):\(status.st_ino + 1)", pipe.writing))
        #expect(!Journal.isStream("", pipe.writing))
        #expect(!Journal.isStream(nil, pipe.writing))
        _ = pipe.finish()
        #expect(!Journal.isStream("0:0", -1))
    }
}

/// A pipe whose lines are read at the end.
private struct TestPipe {
    let reading: Int32
    let writing: Int32

    init() {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        (reading, writing) = (ends[0], ends[1])
    }

    /// Closes both ends. What was written must fit into the pipe (64 KiB).
    func finish() -> [String] {
        close(writing)
        return readAll()
    }

    func readAll() -> [String] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4 << 10)
        while true {
            let count = read(reading, &buffer, buffer.count)
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        close(reading)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// A thread outside of the cooperative pool, for calls that block.
private enum Thread {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Task<Value, Never> {
        let (results, continuation) = AsyncStream.makeStream(of: Value.self)
        let box = Unmanaged.passRetained(Box { continuation.yield(body()) })
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            {
                Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        precondition(started == 0, "no thread: \(started)")
        pthread_detach(thread)
        return Task {
            for await result in results { return result }
            preconditionFailure("the thread ended without a result")
        }
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
