package import Logging

/// Pings the service manager's watchdog, but only while the node really works: a timer that just pings would keep a
/// node with a hung disk alive.
package struct Watchdog: Sendable {
    private let notifier: ServiceNotifier
    private let logger: Logger
    private var isStalled = false

    package init(notifier: ServiceNotifier, logger: Logger) {
        self.notifier = notifier
        self.logger = logger
    }

    /// Pings three times per watchdog interval until the task is cancelled; returns at once if nobody watches.
    package mutating func run() async {
        guard let interval = notifier.watchdogInterval else { return }
        while !Task.isCancelled {
            tick()
            try? await Task.sleep(for: interval / 3)
        }
    }

    /// One ping if there was progress; the start and the end of a stall are logged once each.
    mutating func tick() {
        guard let progressing = notifier.pingWatchdogIfProgressing() else { return }
        if isStalled == progressing {
            isStalled = !progressing
            if isStalled {
                logger.warning("no progress: the watchdog is not pinged; the service manager may kill this process")
            } else {
                logger.notice("progress again: the watchdog is pinged")
            }
        }
    }
}
