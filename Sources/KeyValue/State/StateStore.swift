package import ByteCoding

/// The ordered key-value state that commands are applied to: the one seam between the state machine and a disk.
///
/// Keys sort bytewise. Every key already starts with its group (see `StateKey`). Implementations: RocksDB
/// (`RaftStorage.EngineState`) and memory (`MemoryStateStore`).
package protocol StateStore: StateReader {
    associatedtype Batch: StateBatch

    /// An empty batch. Not thread-safe; owned by the applier.
    func makeBatch() -> Batch

    /// Makes all of the batch visible at once, in order, and empties it. Not synced: after a crash a suffix of the
    /// committed batches may be missing, never a hole.
    func commit(_ batch: Batch) throws(StateStoreError)

    /// Gives `body` the state of one moment. The moment ends with the call: hold nothing of it.
    func withSnapshot<R>(_ body: (any StateReader) throws(StateStoreError) -> R) throws(StateStoreError) -> R
}

/// Reads of committed state. Safe from any thread, beside the applier.
package protocol StateReader: Sendable {
    /// Gives `body` the value of `key`, `nil` when absent; the pointer is valid only during the call.
    ///
    /// - Throws: `StateStoreError`; with tier `.memory`, kind `.wouldBlock` when the answer may need the disk.
    func read<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R

    /// Gives `body` each pair with `lower <= key < upper`, ascending, until it returns false.
    func scan(
        from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StateStoreError)
}

/// How far a read may go for its answer.
package enum ReadTier: Sendable {
    /// Whatever is in memory; never waits for a disk.
    case memory
    /// Everything.
    case all
}

/// Changes that become visible together.
package protocol StateBatch: AnyObject {
    var isEmpty: Bool { get }
    /// `value` is the concatenation of the two parts, so that a header needs no copy of the value.
    func put(_ key: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
    func delete(_ key: UnsafeRawBufferPointer)
    /// Removes `lower <= key < upper`.
    func deleteRange(from lower: Bytes, to upper: Bytes)
}

extension StateBatch {
    package func put(_ key: Bytes, _ value: Bytes) {
        key.withUnsafeBytes { key in
            value.withUnsafeBytes { put(key, header: UnsafeRawBufferPointer(start: nil, count: 0), value: $0) }
        }
    }

    package func delete(_ key: Bytes) { key.withUnsafeBytes { delete($0) } }
}

/// Scope: the node, except `.wouldBlock` (the call). A failed store is never tried again.
package struct StateStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case wouldBlock = "would block"
        case corruption
        case noSpace = "no space left"
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
