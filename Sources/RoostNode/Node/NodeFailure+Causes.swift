import KeyValue
import Raft
package import RaftStorage

/// How the errors of the layers below end the process.
extension NodeFailure {
    /// A data directory that can't be used, or not any more.
    package init(storage error: StorageError) {
        let code: ExitCode =
            switch error.kind {
            case .locked: .dataLocked
            case .wrongIdentity, .newerFormat: .foreignData
            case .cannotCreate: .cannotCreateData
            case .permission: .permission
            case .corruption: .corruption
            case .noSpace, .io: .inputOutput
            case .tooManyFiles: .operatingSystem
            case .invariant: .invariantViolated
            case .cancelled, .other: .unexpected
            }
        self.init(code, cause: error.message, remedy: error.remedy)
        damage = error.damaged
    }

    init(state error: StateStoreError) {
        switch error.kind {
        case .corruption:
            self.init(
                .corruption, cause: "the state: \(error.message)",
                remedy: "keep a copy of it, and see docs/recovery.md: roostd repair --drop-state, or a new node")
            damage = .state
        case .io, .noSpace:
            self.init(.inputOutput, cause: "the state: \(error.message)", remedy: "check the disk, then restart")
        case .wouldBlock, .other:
            self.init(.unexpected, cause: "the state: \(error.message)", remedy: "restart; report it if it comes again")
        }
    }

    init(applying error: ApplyError) {
        switch error {
        case .store(let error): self.init(state: error)
        // The entry fits its checksum: it is no work of a disk.
        case .payload(_, let format) where format.isOfLaterVersion:
            self.init(
                .foreignData, cause: "\(error)", remedy: "install the version that the other nodes run, or a newer one")
        case .payload, .storedValue:
            self.init(
                .corruption, cause: "\(error)",
                remedy: "if another node runs a newer version, upgrade this one; else replace this node")
        }
    }

    init(violation: InvariantViolation) {
        self.init(
            .invariantViolated, cause: "\(violation)",
            remedy: "keep the log and the data directory, and report it; the other nodes go on")
    }
}
