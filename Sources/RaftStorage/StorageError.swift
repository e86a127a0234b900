import KeyValue
import RocksDB

/// Why a data directory can't be used, or not any more. Scope: the node; never tried again in the process.
package struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// Another process uses the directory.
        case locked
        /// The directory belongs to another node or cluster, or is a copy.
        case wrongIdentity = "wrong identity"
        /// A newer version wrote it.
        case newerFormat = "newer format"
        /// The directory can't be made.
        case cannotCreate = "cannot create"
        case permission
        /// What was read can't be what was written, or something durable is missing.
        case corruption
        case noSpace = "no space left"
        /// The process, or the machine, has as many files open as it may.
        case tooManyFiles = "too many open files"
        case io = "I/O error"
        /// The caller asked for what would break a rule that recovery relies on: a bug.
        case invariant = "invariant violated"
        /// Ended before its end because nobody wanted it any more. Scope: that piece of work; nothing is wrong.
        case cancelled = "not wanted any more"
        case other
    }

    package var kind: Kind
    /// What happened, with names and values.
    package var message: String
    /// What an operator does next.
    package var remedy: String
    /// What has to be given up for the node to go on, where that is known: see `Repair`.
    package var damaged: Repair.Loss?

    package init(_ kind: Kind, _ message: String, remedy: String? = nil) {
        self.kind = kind
        self.message = message
        self.remedy = remedy ?? kind.remedy
    }

    package var description: String { "\(kind.rawValue): \(message); \(remedy)" }
}

extension StorageError.Kind {
    /// What helps in most cases of this kind.
    fileprivate var remedy: String {
        switch self {
        case .locked: "stop the other process, or use another data directory"
        case .wrongIdentity: "check the data directory, the node id, the cluster name and the founders' ids"
        case .newerFormat: "install the version that wrote the directory, or a newer one"
        case .cannotCreate: "make the data directory, owned by the user that the node runs as"
        case .permission: "give the user that the node runs as all rights on the data directory and everything in it"
        case .corruption:
            """
            keep a copy of the directory, and see docs/recovery.md: roostd verify says what is damaged, roostd repair \
            or a new node under a new id is what helps
            """
        case .noSpace: "free space on the data directory's file system, then start the node again"
        case .tooManyFiles:
            "raise the limit of open files (LimitNOFILE, ulimit -n, fs.file-max), then start the node again"
        case .io: "check the disk and the kernel's log, then start the node again"
        case .invariant: "report this; the data on disk is unchanged, so the node can be started again"
        case .cancelled: "nothing: it is done again when it is wanted"
        case .other: "see the cause"
        }
    }
}

extension StorageError {
    /// The same, with what is damaged and the form of `roostd repair` that fits; as it is if it says so already, or is of
    /// another kind.
    func advising(_ loss: Repair.Loss) -> StorageError {
        guard kind == .corruption, damaged == nil else { return self }
        var advised = self
        advised.damaged = loss
        advised.remedy = "keep a copy of the directory, and see docs/recovery.md: roostd repair \(loss.flag)"
        return advised
    }

    /// The same for damage in a table of that column family.
    func advising(inFamily name: String) -> StorageError {
        switch FamilyName(name) {
        case .raft: advising(.log)
        case .state: advising(.state)
        case .root, .meta, nil: self
        }
    }

    /// An error of the database, told with what it was doing.
    init(_ error: RocksDBError, while doing: String) {
        self.init(Kind(error), "\(doing): \(error.message)")
    }

    init(_ error: StateStoreError, while doing: String) {
        let kind: Kind =
            switch error.kind {
            case .corruption: .corruption
            case .noSpace: .noSpace
            case .io: .io
            case .wouldBlock, .other: .other
            }
        self = StorageError(kind, "\(doing): \(error.message)").advising(.state)
    }
}

extension StorageError.Kind {
    init(_ error: RocksDBError) {
        self =
            switch error.kind {
            case .corruption: .corruption
            case .noSpace: .noSpace
            case .tooManyFiles: .tooManyFiles
            case .lockHeld: .locked
            case .io where error.message.contains("Permission denied"): .permission
            // What RocksDB looks for, some other file of the database names: one of the two is damaged or lost.
            case .io where error.message.contains("No such file or directory"): .corruption
            case .io: .io
            case .busy, .incomplete, .other: .other
            }
    }
}

/// Runs `body`, which opens a database, and gives its error its meaning for the node.
func opening<R: ~Copyable>(
    _ doing: @autoclosure () -> String, _ body: () throws(RocksDBError) -> R
) throws(StorageError) -> R {
    do { return try body() } catch { throw StorageError(error, while: doing()) }
}
