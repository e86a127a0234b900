import Glibc
import Synchronization

/// Tells the service manager how this process is doing, by sd_notify(3)'s protocol: datagrams of `KEY=value` lines to
/// the socket that `NOTIFY_SOCKET` names. Without that variable everything here does nothing.
///
/// Notifications are advice: none blocks, and one that cannot be delivered is dropped.
package final class ServiceNotifier: Sendable {
    /// The manager kills the process when it hears no ping for this long. Nil: it does not watch this process.
    package let watchdogInterval: Duration?
    /// Owned until deinit; -1 without a manager.
    private let descriptor: Int32
    private let address: NotifyAddress?
    private let progress = Mutex<(@Sendable () -> Bool)?>(nil)

    /// - Parameters:
    ///   - environment: where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked up.
    ///   - processID: the watchdog is meant for this process only if `WATCHDOG_PID` is absent or names it.
    package init(environment: [String: String], processID: Int32 = getpid()) {
        address = environment["NOTIFY_SOCKET"].flatMap(NotifyAddress.init)
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = address == nil ? -1 : socket(AF_UNIX, kind, 0)
        watchdogInterval = descriptor < 0 ? nil : Self.watchdogInterval(environment, processID: processID)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Recovery is done: `READY=1`. The manager starts what waits for this service, and its watchdog.
    package func ready(status: String? = nil) {
        send("READY=1" + Self.assignment(status))
    }

    /// One line for `systemctl status`.
    package func status(_ text: String) {
        send(String(Self.assignment(text).dropFirst()))
    }

    /// An orderly stop begins: `STOPPING=1`.
    package func stopping(status: String? = nil) {
        send("STOPPING=1" + Self.assignment(status))
    }

    /// Starting or stopping goes on for at most `duration` from now: call it only when progress was made.
    package func extendTimeout(by duration: Duration, status: String? = nil) {
        // A process that begins anew is watched from its beginning.
        send("EXTEND_TIMEOUT_USEC=\(duration.microseconds)\nWATCHDOG=1" + Self.assignment(status))
    }

    /// Sets what decides whether the watchdog is pinged. `check` answers true if real work was done, or none was
    /// waiting, since it was last asked; it is asked on an arbitrary thread and must not block. Until it is set, the
    /// watchdog is pinged by nobody.
    package func watchProgress(_ check: @escaping @Sendable () -> Bool) {
        progress.withLock { $0 = check }
    }

    /// Asks the progress check and pings the watchdog if it says yes.
    /// - Returns: what the check said; nil while there is none.
    package func pingWatchdogIfProgressing() -> Bool? {
        guard let check = progress.withLock({ $0 }) else { return nil }
        guard check() else { return false }
        send("WATCHDOG=1")
        return true
    }

    private func send(_ message: String) {
        guard descriptor >= 0, let address else { return }
        address.send(message, from: descriptor)
    }

    private static func watchdogInterval(_ environment: [String: String], processID: Int32) -> Duration? {
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init), microseconds > 0 else { return nil }
        if let owner = environment["WATCHDOG_PID"], Int32(owner) != processID { return nil }
        return .microseconds(microseconds)
    }

    /// A further line that sets the status; nothing without one. A newline inside would start another assignment.
    private static func assignment(_ status: String?) -> String {
        guard let status else { return "" }
        return "\nSTATUS=" + status.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension Duration {
    /// Whole microseconds, at least 0.
    fileprivate var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
}
