package import KeyValue
package import Raft

/// What a look at all of a data directory has found.
package struct VerificationReport: Sendable {
    package struct Finding: Hashable, Sendable {
        package enum Severity: String, Sendable {
            /// What is there can't be what was written, or something is missing: the node must not run on it.
            case damage
            /// Worth knowing, and no harm.
            case note
        }

        package enum Part: String, Sendable {
            case directory
            case writeAheadLog = "write-ahead log"
            case tables
            case metadata
            case log
            case state
        }

        package var severity: Severity
        package var part: Part
        /// A sentence with the file or the record.
        package var message: String
    }

    /// In the order in which they came up.
    package internal(set) var findings: [Finding] = []
    package internal(set) var identity: Identity?
    /// Files of the database that were read block by block, and their size.
    package internal(set) var files = 0
    package internal(set) var fileBytes: UInt64 = 0
    /// Entries of the log, and the ends of the log: the last one cut off, the last one there.
    package internal(set) var entries = 0
    package internal(set) var truncated = LogIndex.zero
    package internal(set) var last = LogIndex.zero
    package internal(set) var applied = LogIndex.zero
    package internal(set) var commit = LogIndex.zero
    package internal(set) var term = Term.zero
    /// Users' keys, sessions, and replies that sessions keep.
    package internal(set) var values = 0
    package internal(set) var sessions = 0
    package internal(set) var replies = 0
    package internal(set) var stateBytes = 0
    /// Of the whole state, to compare replicas that are applied equally far; nil if not all of it could be read.
    package internal(set) var digest: StateDigest?
    package internal(set) var isSuspect = false

    /// Whether nothing is damaged.
    package var isWhole: Bool { !findings.contains { $0.severity == .damage } }

    mutating func add(_ severity: Finding.Severity, _ part: Finding.Part, _ message: String) {
        let finding = Finding(severity: severity, part: part, message: message)
        if !findings.contains(finding) { findings.append(finding) }
    }
}

/// How far a verification has come.
package struct VerificationProgress: Hashable, Sendable {
    package enum Step: String, Sendable, CaseIterable {
        case writeAheadLog = "write-ahead log"
        case opening = "opening"
        case tables = "tables"
        case log = "log"
        case state = "state"
        case repair = "repair"
    }

    package var step: Step
    /// Of `total`: bytes of files, or records of log and state.
    package var done: UInt64
    /// An estimate for the records; 0: not known.
    package var total: UInt64
    package var isBytes: Bool { step == .writeAheadLog || step == .tables }

    package init(step: Step, done: UInt64, total: UInt64) {
        self.step = step
        self.done = done
        self.total = total
    }
}
