import Foundation
import Logging
import RoostNode
import ServiceLifecycle

/// One run of the node in this process, from the first log line to the last.
struct Daemon {
    private let configuration: NodeConfiguration
    private let notifier: ServiceNotifier
    private let logger: Logger

    init(_ configuration: NodeConfiguration, environment: [String: String]) {
        self.configuration = configuration
        notifier = ServiceNotifier(environment: environment)
        let isForJournal = Journal.readsStandardError(environment)
        logger = Logger(label: "roostd") { _ in
            RoostLogHandler(configuration.log, isForJournal: isForJournal, output: .standardError)
        }
    }

    /// Returns after an orderly stop.
    /// - Throws: the `NodeFailure` that ended the node; the process must end with it at once.
    func run() async throws {
        // A client that closes its connection is an error of a write, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        let files = OpenFileLimit.raise()
        logger.notice(
            "starting",
            metadata: [
                "version": "\(RoostVersion.current)", "node.id": "\(configuration.node.id)",
                "data_dir": "\(configuration.node.dataDir)", "open_files.soft": "\(files.soft)",
                "open_files.hard": "\(files.hard)", "pid": "\(getpid())",
            ])
        let stopWatch = StopWatch(shutdownTimeout: configuration.limits.shutdownTimeout, logger: logger)
        let service = NodeService(
            stopWatch: stopWatch, notifier: notifier, logger: logger,
            start: { [configuration, logger, notifier] in
                try await Node.start(configuration, logger: logger, notifier: notifier)
            })
        try await Self.run(service, until: stopWatch, logger: logger)
        logger.notice("stopped")
    }

    /// Runs the service until SIGTERM or SIGINT, or until it fails. The group does not listen to signals by itself,
    /// because it ignores all but the first.
    static func run(_ service: NodeService, until stopWatch: StopWatch, logger: Logger) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: logger))
        await stopWatch.listen {
            Task { await group.triggerGracefulShutdown() }
        }
        do {
            try await group.run()
        } catch let failure as NodeFailure {
            throw failure
        } catch {
            throw NodeFailure(.unexpected, cause: "\(error)", remedy: "see the log; report it if it comes again")
        }
    }
}
