/// Is there one order of all operations on a register that explains every reply and respects real time?
///
/// The search of Wing and Gong (1993) with Lowe's memory of configurations (2017), as Porcupine does it: what has been
/// called before anything else returned may be next; whatever returns without having been placed proves the guess wrong.
/// Two rules make it fast on registers, and both keep the answer exact:
/// - An operation whose reply says that it changed nothing is placed as soon as it fits: nothing is lost by doing so.
/// - An operation of unknown outcome is placed only directly before one that needs it (`Search`).
///
/// An operation that was certainly not applied is left out, so that a reply which shows its effect has no explanation.
///
/// The same history gives the same verdict with the same evidence, always.
public struct LinearizabilityChecker: Sendable {
    /// The configurations (sets of placed operations, with the register's value) remembered before the search gives up
    /// with `.undecided`. 1,000,000 take about 40 MB, more when very many operations are open at once.
    public var configurationLimit: Int

    public init(configurationLimit: Int = 2_000_000) {
        precondition(configurationLimit > 0, "a search that may not look at anything decides nothing")
        self.configurationLimit = configurationLimit
    }

    /// Checks the operations of one key, given in any order.
    public func check(_ operations: [Operation], initial: Register.Value? = nil) -> Verdict {
        var search = Search(operations, initial: initial, limit: configurationLimit)
        return search.run()
    }
}
