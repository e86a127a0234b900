import Raft

/// One run from beginning to end.
package enum Simulation {
    /// What came of a run.
    package struct Report: Sendable {
        package var options: SwarmOptions
        package var violation: Violation?
        /// The latest lines before a violation, oldest first.
        package var lines: [String]
        /// Events of both phases.
        package var events: Int
        package var simulatedSeconds: Double
        /// Names everything that happened.
        package var traceHash: UInt64
        package var marks: MarkTable
        package var statesCompared: Int
        package var entriesCommitted: Int
        package var operations: Int
        /// No majority was left: liveness was not judged.
        package var hasNoMajority: Bool
        /// Keys whose history was too hard to judge.
        package var undecidedKeys: Int
        /// A page that shows an impossible history, for I10.
        package var picture: String?
    }

    /// Runs the safety phase for the options' number of events, then the liveness phase, then judges the clients' history.
    ///
    /// - Parameters:
    ///   - listener: gets a line for each thing of note that happens.
    ///   - trace: gets the lines of the run's trace (`TraceWriter`).
    package static func run(
        _ options: SwarmOptions, listener: ((String) -> Void)? = nil, trace: ((String) -> Void)? = nil
    ) -> Report {
        let world = World(options, listener: listener, trace: trace)
        while world.eventsHandled < options.events, world.judge.violation == nil, world.step() {}
        if world.judge.violation == nil {
            var phase = LivenessPhase(world: world, random: RandomStream(seed: options.seed).fork(.checking, 1))
            phase.run()
        }
        world.judge.ended(world.workload.history, at: world.now)
        return Report(
            options: options, violation: world.judge.violation, lines: world.lines.lines, events: world.eventsHandled,
            simulatedSeconds: world.now.seconds, traceHash: world.traceHash, marks: world.marks,
            statesCompared: world.judge.statesCompared,
            entriesCommitted: Int(world.judge.committed.lastIndex.rawValue),
            operations: world.workload.history.records.count, hasNoMajority: world.hasNoMajority,
            undecidedKeys: world.judge.histories.undecided,
            picture: world.judge.histories.picture)
    }
}
