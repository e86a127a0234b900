import ArgumentParser
import Raft
import RaftStorage
import RoostNode

/// Gives up what can't be read of a data directory, by an operator's word.
struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Give up what is damaged in a data directory, so that the node can start again.",
        discussion: """
            Keep a copy of the directory, and see `roostd verify` first: docs/recovery.md says which of these fits \
            which damage. The node forgets things that it has promised to others. It is therefore suspect from now on: \
            it takes part without a vote, and counts for nothing, until a leader has brought it up to what a majority \
            holds without it. A node that never had others is not suspect: what is lost is lost.
            """)

    enum Action: String, EnumerableFlag {
        case acceptWalLoss
        case dropLog
        case dropState
        case trust

        static func help(for value: Action) -> ArgumentHelp? {
            switch value {
            case .acceptWalLoss: "Drop the end of the write-ahead log, from its first damage on."
            case .dropLog: "Drop the whole log, and keep the state as far as it is on disk."
            case .dropState: "Drop state and log: the other nodes send all of it again."
            case .trust: "Lift the suspicion without asking anybody. Only when no majority of trusted nodes is left."
            }
        }

        var loss: Repair.Loss? {
            switch self {
            case .acceptWalLoss: .writeAheadLog
            case .dropLog: .log
            case .dropState: .state
            case .trust: nil
            }
        }
    }

    @ParentCommand var daemon: Roostd

    @OptionGroup var options: OfflineOptions

    @Flag(exclusivity: .exclusive)
    var action: Action

    func run() throws {
        let directory = try options.directory(after: daemon.options)
        let repair = Repair(directory: directory)
        let outcome = try OfflineOptions.looking { () throws(StorageError) -> Repair.Outcome? in
            guard let loss = action.loss else {
                try repair.trust()
                return nil
            }
            return try repair.run(loss)
        }
        if options.json {
            print(JSONText.of(RepairDocument(outcome)))
        } else {
            print(RepairDocument.text(outcome))
        }
    }
}

/// What a repair has left.
struct RepairDocument: Codable {
    var suspect: Bool
    /// Absent after `--trust`.
    var applied: UInt64?
    var last: UInt64?
    var term: UInt64?

    /// - Parameter outcome: nil after `--trust`.
    init(_ outcome: Repair.Outcome?) {
        suspect = outcome?.isSuspect ?? false
        applied = outcome?.applied.index.rawValue
        last = outcome?.last.rawValue
        term = outcome?.hardState.term.rawValue
    }

    static func text(_ outcome: Repair.Outcome?) -> String {
        guard let outcome else { return "the node is trusted: it votes from its next start on" }
        let end =
            outcome.isSuspect
            ? "it has no vote and counts for nothing until it has caught up with a leader: start it"
            : "what stood behind that is lost: start the node"
        return "the state ends at entry \(outcome.applied.index), the log at \(outcome.last); \(end)"
    }
}
