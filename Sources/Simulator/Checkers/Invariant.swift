/// What must hold in every run, by the numbers of the design.
package enum Invariant: String, CaseIterable, Sendable {
    case electionSafety = "I1 election-safety"
    case leaderAppendOnly = "I2 leader-append-only"
    case logMatching = "I3 log-matching"
    case leaderCompleteness = "I4 leader-completeness"
    case stateMachineSafety = "I5 state-machine-safety"
    case monotonicity = "I6 monotonicity"
    case durablePromises = "I7 durable-promises"
    case committedDurability = "I8 committed-durability"
    case exactlyOnce = "I9 exactly-once"
    case linearizability = "I10 linearizability"
    case readFreshness = "I11 read-freshness"
    case snapshotFidelity = "I12 snapshot-fidelity"
    case configurationSafety = "I13 configuration-safety"
    case commitInTerm = "I14 commit-in-term"
    case integrity = "I15 integrity"
    case boundedness = "I16 boundedness"
    case replicaEquality = "I17 replica-equality"
    /// What became of a proposal contradicts what was committed.
    case proposalOutcome = "proposal-outcome"
    /// The core found out by itself (`Effect.violated`); the detail names its rule.
    case coreRule = "core-rule"
    /// After the faults the group must elect, answer and agree.
    case liveness = "liveness"
    /// The simulator's own code met what cannot be.
    case harness = "harness"
}

/// An invariant that does not hold, and the values that show it.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    package var invariant: Invariant
    package var detail: String

    /// The rule of the core that is broken, for `.coreRule`.
    package var coreRule: String?

    package init(_ invariant: Invariant, _ detail: String, coreRule: String? = nil) {
        self.invariant = invariant
        self.detail = detail
        self.coreRule = coreRule
    }

    /// One word: `I1` … `I17`, `liveness`, `harness`, `proposal-outcome`, or the name of the core's rule.
    package var name: String {
        coreRule ?? invariant.rawValue.split(separator: " ").first.map(String.init) ?? invariant.rawValue
    }

    package var description: String { "\(invariant.rawValue): \(detail)" }
}
