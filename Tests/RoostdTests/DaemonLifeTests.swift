import Foundation
import Logging
import RoostNode
import Testing

@testable import roostd

/// Each test is a process of its own with a made-up node, which gets real signals and really exits.
@Suite("Life and end of the process", .timeLimit(.minutes(5)))
struct DaemonLifeTests {
    @Test func `SIGTERM stops a serving node, and the end is clean`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            await run { FakeNode(serving: { send(SIGTERM) }) }
        }
        #expect(lines(result) == ["notice signal signal=SIGTERM", "notice stopping", "node closed"])
    }

    @Test func `SIGINT does the same`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            await run { FakeNode(serving: { send(SIGINT) }) }
        }
        #expect(lines(result) == ["notice signal signal=SIGINT", "notice stopping", "node closed"])
    }

    @Test func `a node that fails ends the process with its code and one last line`() async throws {
        let result = try await #require(processExitsWith: .exitCode(74), observing: [\.standardErrorContent]) {
            await run { FakeNode(failure: NodeFailure(.inputOutput, cause: "fsync: EIO", remedy: "replace the disk")) }
        }
        #expect(lines(result) == ["roostd: exit 74 (I/O error): fsync: EIO; replace the disk"])
    }

    private static let removal = NodeFailure(.success, cause: "node 4 was removed", remedy: "join under a new id")

    @Test func `a node that was removed stops in order, and the end is clean`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            await run { FakeNode(removal: Self.removal) }
        }
        #expect(
            lines(result) == [
                "notice stopping", "node closed",
                "roostd: exit 0 (clean stop or removed): node 4 was removed; join under a new id",
            ])
    }

    @Test func `a node that was removed before it started is no failure to the service manager`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            let manager = NotifySocket()
            await run(
                environment: ["NOTIFY_SOCKET": manager.name],
                ending: { manager.received().forEach { ProcessEnd.say($0) } }
            ) { throw Self.removal }
        }
        #expect(lines(result).contains("READY=1"))
        #expect(lines(result).last?.contains("node 4 was removed") == true)
    }

    @Test func `a node that cannot start ends the process with its code`() async throws {
        let result = try await #require(processExitsWith: .exitCode(66), observing: [\.standardErrorContent]) {
            await run { throw NodeFailure(.foreignData, cause: "this is node 2", remedy: "give --node-id 2") }
        }
        #expect(lines(result).last?.hasSuffix("format): this is node 2; give --node-id 2") == true)
    }

    @Test func `an error that nobody foresaw is exit 1`() async throws {
        struct Surprise: Error {}
        let result = try await #require(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            await run { throw Surprise() }
        }
        #expect(
            lines(result) == ["roostd: exit 1 (unexpected error): Surprise(); see the log; report it if it comes again"]
        )
    }

    @Test func `a failure while stopping counts more than the stop`() async throws {
        let result = try await #require(processExitsWith: .exitCode(74), observing: [\.standardErrorContent]) {
            let (stopping, began) = AsyncStream.makeStream(of: Void.self)
            await run {
                FakeNode(
                    serving: {
                        send(SIGTERM)
                        for await _ in stopping { break }
                    }, failure: NodeFailure(.inputOutput, cause: "fsync: EIO", remedy: "replace the disk"),
                    stopping: {
                        began.yield()
                        await forever()
                    })
            }
        }
        #expect(lines(result).last == "roostd: exit 74 (I/O error): fsync: EIO; replace the disk")
    }

    @Test func `SIGTERM during recovery cancels it`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            await run {
                send(SIGTERM)
                try await Task.sleep(for: .seconds(3600))
                return FakeNode()
            }
        }
        #expect(lines(result) == ["notice signal signal=SIGTERM", "notice stopping before recovery is done"])
    }

    @Test func `a recovery that cannot be cancelled is cut at the shutdown time-out`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            await run(shutdownTimeout: .milliseconds(500)) {
                send(SIGTERM)
                await forever()
                return FakeNode()
            }
        }
        #expect(lines(result).last == "notice stopped before recovery was done")
    }

    @Test func `a recovery that ends in spite of SIGTERM is followed by an orderly stop`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            await run {
                send(SIGTERM)
                while !Task.isCancelled { await Task.yield() }
                return FakeNode()
            }
        }
        #expect(lines(result).suffix(2) == ["notice stopping", "node closed"])
    }

    @Test func `a stop that is stuck ends by itself`() async throws {
        let result = try await #require(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            await run(shutdownTimeout: .milliseconds(500)) {
                FakeNode(serving: { send(SIGTERM) }, stopping: forever)
            }
        }
        #expect(lines(result).last?.contains("the stop took longer than 2s") == true)
    }

    @Test func `a second SIGTERM ends a stuck stop at the shutdown time-out`() async throws {
        let result = try await #require(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            await run(shutdownTimeout: .seconds(1)) {
                FakeNode(
                    serving: { send(SIGTERM) },
                    stopping: {
                        send(SIGTERM)
                        await forever()
                    })
            }
        }
        #expect(lines(result).filter { $0 == "notice signal signal=SIGTERM" }.count == 2)
        #expect(lines(result).last?.contains("the stop took longer than 1s") == true)
    }

    @Test func `the service manager hears of readiness and of the stop`() async throws {
        let result = try await #require(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            let manager = NotifySocket()
            await run(environment: ["NOTIFY_SOCKET": manager.name]) {
                FakeNode(serving: { send(SIGTERM) }, stopping: { manager.received().forEach { ProcessEnd.say($0) } })
            }
        }
        #expect(
            lines(result).filter { $0.hasPrefix("READY") || $0.hasPrefix("STOPPING") } == ["READY=1", "STOPPING=1"])
    }
}

/// Does what `Daemon` does, around a made-up node, and ends the process.
///
/// - Parameter shutdownTimeout: by default one that no busy machine runs into.
private func run(
    shutdownTimeout: Duration = .seconds(600), environment: [String: String] = [:], ending: () -> Void = {},
    _ start: @escaping @Sendable () async throws -> any RunningNode
) async -> Never {
    // No time limit ends a child that hangs.
    alarm(120)
    let logger = Logger(label: "test") { _ in
        RoostLogHandler(NodeConfiguration().log, isForJournal: false, output: .standardError)
    }
    let stopWatch = StopWatch(shutdownTimeout: shutdownTimeout, logger: logger)
    let notifier = ServiceNotifier(environment: environment)
    let service = NodeService(stopWatch: stopWatch, notifier: notifier, logger: logger, start: start)
    do {
        try await Daemon.run(service, until: stopWatch, logger: logger)
    } catch let failure as NodeFailure {
        ending()
        ProcessEnd.fail(failure)
    } catch {
        fatalError("the daemon let an error through: \(error)")
    }
    exit(EXIT_SUCCESS)
}

private struct FakeNode: RunningNode {
    /// Runs once the node serves; then comes the failure, if there is one.
    var serving: @Sendable () async -> Void = {}
    var failure: NodeFailure?
    var removal: NodeFailure?
    var stopping: @Sendable () async -> Void = {}

    func waitUntilFailed() async -> NodeFailure {
        await serving()
        if let failure { return failure }
        await forever()
        preconditionFailure("for ever is over")
    }

    func waitUntilRemoved() async -> NodeFailure {
        if let removal { return removal }
        await forever()
        preconditionFailure("for ever is over")
    }

    func stop() async {
        await stopping()
        ProcessEnd.say("node closed")
    }
}

private func send(_ signal: Int32) {
    kill(getpid(), signal)
}

/// Does not end, not even when it is cancelled.
@Sendable private func forever() async {
    await Task.detached { try? await Task.sleep(for: .seconds(3600)) }.value
}

/// What the process wrote, without the times of its log.
private func lines(_ result: ExitTest.Result) -> [String] {
    String(decoding: result.standardErrorContent, as: UTF8.self).split(separator: "\n").map { line in
        let isLog = line.count > 25 && line.dropFirst(23).hasPrefix("Z ")
        return String(isLog ? line.dropFirst(25) : line)
    }
}

/// A service manager's end of the notification socket, in this same process.
private final class NotifySocket: Sendable {
    let name = "@roostd-test-\(getpid())"
    private let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)

    init() {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(name.utf8.dropFirst())
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(2 + bytes.count)) }
        }
        precondition(bound == 0, "bind: \(errno)")
    }

    /// The first lines of all datagrams that have arrived.
    func received() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0 { return messages }
            messages.append(String(String(decoding: buffer[..<count], as: UTF8.self).prefix { $0 != "\n" }))
        }
    }
}
