import Glibc
import Logging
import RaftStorage
import Synchronization
import Testing

@testable import RoostNode

@Suite("sd_notify and the watchdog")
struct NotifierTests {
    @Test(arguments: [true, false]) func `what the manager hears`(isAbstract: Bool) {
        let manager = Manager(isAbstract: isAbstract)
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name])
        notifier.extendTimeout(by: .seconds(90), status: "replaying 1/3")
        notifier.extendTimeout(by: .milliseconds(1))
        notifier.ready(status: "serving")
        notifier.ready()
        notifier.status("leader\nREADY=0\nof 3")
        notifier.stopping(status: "draining")
        #expect(
            manager.received() == [
                "EXTEND_TIMEOUT_USEC=90000000\nWATCHDOG=1\nSTATUS=replaying 1/3",
                "EXTEND_TIMEOUT_USEC=1000\nWATCHDOG=1",
                "READY=1\nSTATUS=serving",
                "READY=1", "STATUS=leader READY=0 of 3", "STOPPING=1\nSTATUS=draining",
            ])
    }

    @Test(arguments: [
        [:], ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "@"], ["NOTIFY_SOCKET": "relative"],
        ["NOTIFY_SOCKET": "vsock:2:1"],
        ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)], ["NOTIFY_SOCKET": "/nowhere/at/all"],
    ]) func `without a manager that hears, nothing happens`(environment: [String: String]) {
        let notifier = ServiceNotifier(environment: environment)
        notifier.ready()
        notifier.status("x")
        notifier.watchProgress { true }
        #expect(notifier.pingWatchdogIfProgressing() == true)
    }

    @Test func `a manager that does not read does not block us`() {
        let manager = Manager(isAbstract: true)
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name])
        for _ in 0..<10_000 { notifier.status("x") }
        #expect(!manager.received().isEmpty)
    }

    @Test(
        arguments: [
            (["WATCHDOG_USEC": "30000000"], .seconds(30)),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"], .seconds(30)),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"], nil), (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "x"], nil),
            (["WATCHDOG_PID": "7"], nil), ([:], nil),
        ] as [([String: String], Duration?)])
    func `the watchdog's interval is for the process that it names`(variables: [String: String], interval: Duration?) {
        let environment = variables.merging(["NOTIFY_SOCKET": "@nobody"]) { $1 }
        #expect(ServiceNotifier(environment: environment, processID: 7).watchdogInterval == interval)
        #expect(ServiceNotifier(environment: variables, processID: 7).watchdogInterval == nil)
    }

    @Test func `the watchdog is pinged only while there is progress, and stalls are logged once`() {
        let manager = Manager(isAbstract: true)
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "3000000"])
        let log = Recorder()
        var watchdog = Watchdog(notifier: notifier, logger: Logger(label: "test") { _ in log.handler })
        watchdog.tick()
        #expect(manager.received().isEmpty, "no progress check yet")
        let progress = Atomic(true)
        notifier.watchProgress { progress.load(ordering: .relaxed) }
        watchdog.tick()
        watchdog.tick()
        #expect(manager.received() == ["WATCHDOG=1", "WATCHDOG=1"])
        progress.store(false, ordering: .relaxed)
        watchdog.tick()
        watchdog.tick()
        #expect(manager.received().isEmpty)
        progress.store(true, ordering: .relaxed)
        watchdog.tick()
        #expect(manager.received() == ["WATCHDOG=1"])
        #expect(log.levels == [.warning, .notice])
    }

    @Test(.timeLimit(.minutes(5))) func `the watchdog runs until it is cancelled, and not at all if nobody watches`()
        async
    {
        let manager = Manager(isAbstract: true)
        let environment = ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "3000"]
        let notifier = ServiceNotifier(environment: environment)
        let (pings, continuation) = AsyncStream.makeStream(of: Void.self)
        notifier.watchProgress {
            continuation.yield()
            return true
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let running = Task {
            var watchdog = Watchdog(notifier: notifier, logger: logger)
            await watchdog.run()
        }
        var count = 0
        for await _ in pings {
            count += 1
            if count == 3 { break }
        }
        running.cancel()
        await running.value
        #expect(manager.received().count >= 3)
        var unwatched = Watchdog(notifier: ServiceNotifier(environment: [:]), logger: logger)
        await unwatched.run()
    }
}

@Suite("How the process ends")
struct ExitCodeTests {
    @Test func `the unit must not restart what a restart cannot help`() {
        let prevented = ExitCode.allCases.filter { !$0.restartMayHelp && $0 != .success }.map(\.rawValue)
        #expect(prevented == [64, 65, 66, 73, 75, 77, 78])
    }

    @Test func `the last line is one line with code, meaning, cause and next step`() {
        let failure = NodeFailure(.dataLocked, cause: "/var/lib/roost/LOCK:\nheld by 17", remedy: "stop that process")
        #expect(
            failure.lastLine
                == "roostd: exit 75 (data directory locked by another process): /var/lib/roost/LOCK: held by 17; stop that process"
        )
        #expect(Set(ExitCode.allCases.map(\.meaning)).count == ExitCode.allCases.count)
    }

    @Test(arguments: [
        (StorageError.Kind.io, ExitCode.inputOutput), (.noSpace, .inputOutput), (.tooManyFiles, .operatingSystem),
        (.permission, .permission), (.corruption, .corruption), (.locked, .dataLocked),
        (.invariant, .invariantViolated),
        (.newerFormat, .foreignData), (.wrongIdentity, .foreignData), (.cannotCreate, .cannotCreateData),
        (.other, .unexpected),
    ])
    func `each error of the storage has its exit code`(kind: StorageError.Kind, code: ExitCode) {
        #expect(NodeFailure(storage: StorageError(kind, "x")).code == code)
    }

    @Test(arguments: [
        (EADDRINUSE, 71, "--listen-redis"), (EACCES, 77, "--listen-redis"), (EADDRNOTAVAIL, 71, "--listen-redis"),
        (EMFILE, 71, "--listen-redis"), (0, 71, "--listen-redis"),
    ]) func `a door that does not open`(errno: Int32, code: Int32, flag: String) {
        let failure = NodeFailure.cannotListen("listen.redis", HostPort(host: "::1", port: 80), errno: errno, "because")
        #expect(failure.code.rawValue == code)
        #expect(failure.cause == "listen.redis [::1]:80: because")
        #expect(failure.remedy.contains(flag))
    }

    @Test func `the limit of open files is raised to the hard one`() {
        let limit = OpenFileLimit.raise()
        #expect(limit.soft == limit.hard)
        #expect(OpenFileLimit.raise() == limit)
    }
}

/// A service manager's end of the notification socket.
private final class Manager: Sendable {
    let name: String
    private let descriptor: Int32
    private let path: String?

    init(isAbstract: Bool) {
        let unique = "roost-notify-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        path = isAbstract ? nil : "/tmp/\(unique)"
        name = path ?? "@\(unique)"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = isAbstract ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8) + [0]
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        precondition(bound == 0, "bind \(name): \(errno)")
    }

    deinit {
        close(descriptor)
        if let path { unlink(path) }
    }

    /// All datagrams that have arrived.
    func received() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0 { return messages }
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }
}

/// Remembers the levels of what is logged.
private final class Recorder: Sendable {
    private let recorded = Mutex<[Logger.Level]>([])
    var levels: [Logger.Level] { recorded.withLock(\.self) }
    var handler: Handler { Handler(recorder: self) }

    struct Handler: LogHandler {
        let recorder: Recorder
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { recorder.recorded.withLock { $0.append(event.level) } }
    }
}
