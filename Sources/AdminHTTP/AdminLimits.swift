package import NIOCore

/// What the admin door puts up with. Reaching a limit never touches the other doors.
package struct AdminLimits: Hashable, Sendable {
    /// Open connections; one more is answered 503 and closed. Default 64: a few scrapers, probes and people.
    package var maxConnections = 64
    /// Request line and headers together; more is answered 400 and the connection closed. Default 16 KiB.
    package var maxHeaderBytes = 16 << 10
    /// How long a connection may take to bring its next request, idle time included; then it is closed. Default 75 s,
    /// longer than scrapers usually pause.
    package var requestTimeout: TimeAmount = .seconds(75)
    /// How long a route may take, and after that how long the client may take to read the answer. Default 5 s.
    package var answerTimeout: TimeAmount = .seconds(5)

    package init() {}
}
