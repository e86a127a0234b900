/// Why a snapshot could not be received.
package enum SnapshotError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What came is not a snapshot for this node. Scope: the transfer. Refuse it, and drop what is there; another
    /// attempt may bring a good one.
    case malformed(String)
    /// This node's disk failed. Scope: the node, except `.noSpace`, which the transfer alone suffers from.
    case storage(StorageError)

    package var description: String {
        switch self {
        case .malformed(let what): what
        case .storage(let error): error.description
        }
    }
}

/// Runs `body` with errors of the disk as those of the snapshot.
func snapshot<R>(_ body: () throws(StorageError) -> R) throws(SnapshotError) -> R {
    do { return try body() } catch { throw .storage(error) }
}
