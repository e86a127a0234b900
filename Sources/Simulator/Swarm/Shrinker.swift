/// Looks for a smaller run that fails in the same way: fewer events, fewer kinds of faults, fewer nodes and clients.
///
/// Every draw of a run comes from a stream of its subsystem, so what is left after something is switched off is mostly
/// what it was; whether it still fails is tried each time.
package struct Shrinker {
    package private(set) var limits: SwarmOptions.Limits
    package private(set) var report: Simulation.Report
    package private(set) var runs = 0
    private let listener: (String) -> Void
    private let run: (SwarmOptions) -> Simulation.Report

    /// - Parameters:
    ///   - report: of a run that failed, made with `limits`.
    ///   - run: makes a report of other options.
    package init(
        _ report: Simulation.Report, _ limits: SwarmOptions.Limits, listener: @escaping (String) -> Void,
        run: @escaping (SwarmOptions) -> Simulation.Report = { Simulation.run($0) }
    ) {
        self.report = report
        self.limits = limits
        self.listener = listener
        self.run = run
    }

    /// Each step is kept if the run still fails by the same name.
    package mutating func shrink() {
        cutEvents()
        for kind in report.options.faults.kinds {
            var fewer = limits
            fewer.faults = report.options.faults
            fewer.faults.remove(kind)
            attempt(fewer, report.options.events, "without \(kind.rawValue)")
        }
        while report.options.clients > 0 {
            var fewer = limits
            fewer.clients = report.options.clients - 1
            guard attempt(fewer, report.options.events, "\(report.options.clients - 1) clients") else { break }
        }
        while report.options.nodes > 1 {
            var fewer = limits
            fewer.nodes = report.options.nodes - 1
            guard attempt(fewer, report.options.events, "\(report.options.nodes - 1) nodes") else { break }
        }
        cutEvents()
    }

    /// The run failed at its last event; a failure in the liveness phase may come sooner if that begins sooner.
    private mutating func cutEvents() {
        if report.events < report.options.events { attempt(limits, report.events, "\(report.events) events") }
        while report.options.events > 1 {
            let half = report.options.events / 2
            guard attempt(limits, half, "\(half) events") else { break }
        }
    }

    @discardableResult
    private mutating func attempt(_ limits: SwarmOptions.Limits, _ events: Int, _ what: String) -> Bool {
        runs += 1
        let options = SwarmOptions.drawn(seed: report.options.seed, events: events, limits: limits)
        let candidate = run(options)
        let fails = candidate.violation?.name == report.violation?.name
        listener("\(what): \(fails ? "still fails" : "no")")
        if fails {
            report = candidate
            self.limits = limits
        }
        return fails
    }
}
