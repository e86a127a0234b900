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
        case adoptCopy

        static func help(for value: Action) -> ArgumentHelp? {
            switch value {
            case .acceptWalLoss: "Drop the end of the write-ahead log, from its first damage on."
            case .dropLog: "Drop the whole log, and keep the state as far as it is on disk."
            case .dropState: "Drop state and log: the other nodes send all of it again."
            case .trust: "Lift the suspicion without asking anybody. Only when no majority of trusted nodes is left."
            case .adoptCopy:
                "Make a copied directory the node's own. Only when the one it was copied from is gone for ever."
            }
        }

        /// What is given up; nil: nothing.
        var loss: Repair.Loss? {
            switch self {
            case .acceptWalLoss: .writeAheadLog
            case .dropLog: .log
            case .dropState: .state
            case .trust, .adoptCopy: nil
            }
        }
    }

    @ParentCommand var daemon: Roostd

    @OptionGroup var options: OfflineOptions

    @Flag(exclusivity: .exclusive)
    var action: Action

    func run() throws {
        let directory = try options.directory(after: daemon.options)
        let result = try OfflineOptions.looking { () throws(StorageError) in
            try ProgressBar.with { (show) throws(StorageError) in
                try perform(Repair(directory: directory, onProgress: show))
            }
        }
        print(options.json ? JSONText.of(RepairDocument(result)) : result.text)
    }

    private func perform(_ repair: Repair) throws(StorageError) -> RepairResult {
        if let loss = action.loss { return .repaired(try repair.run(loss)) }
        if action == .adoptCopy { return .adopted(isSuspect: try repair.adopt()) }
        try repair.trust()
        return .trusted
    }
}

/// What has become of the directory.
enum RepairResult {
    case repaired(Repair.Outcome)
    case trusted
    case adopted(isSuspect: Bool)

    var text: String {
        let waiting = "it has no vote and counts for nothing until it has caught up with a leader: start it"
        switch self {
        case .repaired(let outcome):
            let end = outcome.isSuspect ? waiting : "what stood behind that is lost: start the node"
            return "the state ends at entry \(outcome.applied.index), the log at \(outcome.last); \(end)"
        case .trusted: return "the node is trusted: it votes from its next start on"
        case .adopted(let isSuspect):
            return "the directory is the node's now, and the one that it was copied from must never be started again; "
                + (isSuspect ? waiting : "start the node")
        }
    }
}

/// What a repair has left.
struct RepairDocument: Codable {
    var suspect: Bool
    /// Absent where nothing was given up, with all after it.
    var applied: UInt64?
    var last: UInt64?
    var term: UInt64?

    init(_ result: RepairResult) {
        switch result {
        case .repaired(let outcome):
            suspect = outcome.isSuspect
            applied = outcome.applied.index.rawValue
            last = outcome.last.rawValue
            term = outcome.hardState.term.rawValue
        case .trusted: suspect = false
        case .adopted(let isSuspect): suspect = isSuspect
        }
    }
}
