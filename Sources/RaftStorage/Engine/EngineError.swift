import KeyValue

/// What went wrong below the records. Scope: the node, except `.wouldBlock` (the call); never tried again.
package struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// The answer isn't in memory, and the read was forbidden to wait.
        case wouldBlock = "would block"
        case corruption
        case noSpace = "no space left"
        case permission
        case tooManyFiles = "too many open files"
        case io = "I/O error"
        case other = "storage error"
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { "\(kind.rawValue): \(message)" }
}

extension StateStoreError {
    init(_ error: EngineError) {
        let kind: Kind =
            switch error.kind {
            case .wouldBlock: .wouldBlock
            case .corruption: .corruption
            case .noSpace: .noSpace
            case .permission, .tooManyFiles, .io: .io
            case .other: .other
            }
        self.init(kind, error.message)
    }
}

extension StorageError {
    /// An error of the engine, told with what it was doing.
    init(_ error: EngineError, while doing: String) {
        let kind: Kind =
            switch error.kind {
            case .corruption: .corruption
            case .noSpace: .noSpace
            case .permission: .permission
            case .tooManyFiles: .tooManyFiles
            case .io: .io
            case .wouldBlock, .other: .other
            }
        self.init(kind, "\(doing): \(error.message)")
    }
}

/// Runs `body` and gives an engine's error its meaning for the node.
func storage<R>(_ doing: @autoclosure () -> String, _ body: () throws(EngineError) -> R) throws(StorageError) -> R {
    do { return try body() } catch { throw StorageError(error, while: doing()) }
}

/// Runs `body` and gives an engine's error its meaning for the state machine.
func state<R>(_ body: () throws(EngineError) -> R) throws(StateStoreError) -> R {
    do { return try body() } catch { throw StateStoreError(error) }
}
