import RoostNode

/// When a process that was told to stop has taken too long.
///
/// One signal is patient: the node drains for the shutdown time-out by itself, and closing a database on a slow disk
/// takes what it takes. A second one says that somebody waits. Before recovery is done nothing was promised to anybody,
/// and nothing is lost by ending in the middle.
struct StopDeadline: Sendable {
    /// How much longer than the shutdown time-out one signal may take.
    static let patience = 4

    let shutdownTimeout: Duration
    private(set) var isNodeStarted = false
    private(set) var firstSignal: ContinuousClock.Instant?
    private(set) var signals = 0

    init(shutdownTimeout: Duration) {
        self.shutdownTimeout = shutdownTimeout
    }

    mutating func nodeStarted() {
        isNodeStarted = true
    }

    mutating func signalArrived(at time: ContinuousClock.Instant) {
        signals += 1
        if firstSignal == nil { firstSignal = time }
    }

    /// How long the stop may take, as things are.
    var limit: Duration {
        let isPatient = isNodeStarted && signals < 2
        return shutdownTimeout * (isPatient ? Self.patience : 1)
    }

    /// Nil until a signal came. Moves back when the node starts, and forth with a second signal.
    var deadline: ContinuousClock.Instant? {
        firstSignal.map { $0 + limit }
    }

    /// How the process ends at the deadline: nil is a clean end.
    var failure: NodeFailure? {
        guard isNodeStarted else { return nil }
        return NodeFailure(
            .unexpected, cause: "the stop took longer than \(DurationText.text(limit))",
            remedy: "nothing that was acknowledged is lost; the log says how far it came")
    }
}
