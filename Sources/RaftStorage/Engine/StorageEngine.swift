package import ByteCoding

/// Ordered families of byte keys with atomic batches: all that a node's records need of a disk, and the seam below
/// which a simulation puts a disk of its own.
///
/// Above it stand the records with their encodings and checksums, the rules of the log, recovery and snapshots; they
/// are the same whatever lies below. Below it are bytes alone. `RocksEngine` keeps them on a disk, `MemoryEngine` in
/// memory.
///
/// What a crash leaves:
/// - of the batches written `.synced` and `.ordered`, all families together, some first part in the order in which they
///   were written, which holds at least everything up to the last `.synced` one that returned;
/// - of the `.volatile` batches to a family some first part, which holds at least what was there before the last
///   `flush` of the family that returned; more, if the engine flushed by itself;
/// - of each batch all or nothing, whatever families it touches;
/// - families as `create` and `drop` left them.
///
/// A family is written either always `.volatile` (the states) or never (all others).
///
/// Threads: any thread calls anything, but one batch belongs to one thread, `drop` comes after the last write to its
/// family, and `release`, `close` and `abandon` after everything else that concerns their object. After an error of
/// `create`, `drop`, `write`, `flush`, `makeLoader` or a loader nothing but `abandon` is called.
package protocol StorageEngine: Sendable {
    /// A family of this engine, for calls that must not look its name up.
    associatedtype Family: Sendable
    associatedtype Batch: EngineBatch<Family>
    /// All families at one moment. Lives no longer than the engine, and holds back what was deleted since.
    associatedtype Moment: Sendable

    // MARK: Families

    /// What there is, ascending; without dropped ones.
    var familyNames: [FamilyName] { get }
    /// The family of that name, nil if there is none.
    func family(_ name: FamilyName) -> Family?
    /// Makes an empty family that does not exist; durable on return.
    func create(_ name: FamilyName) throws(EngineError) -> Family
    /// Removes the family and its name, durably; whoever has it still reads it, until `release`.
    func drop(_ family: Family) throws(EngineError)
    /// Nobody reads the dropped family any more: gives its space free.
    func release(_ family: Family)

    // MARK: Reading

    /// Gives `body` the value of `key`, nil when absent; the pointer is valid only during the call.
    ///
    /// - Parameter moment: nil: now.
    /// - Throws: `.wouldBlock` with tier `.memory`, when the answer may need the disk.
    func read<R>(
        _ key: UnsafeRawBufferPointer, in family: Family, at moment: Moment?, tier: EngineTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(EngineError) -> R

    /// Gives `body` each pair with `lower <= key < upper` (nil: without end), ascending, until it returns false. All
    /// pairs are of one moment: the given one, or that of the call.
    ///
    /// - Parameter isLong: whether many pairs in a row are wanted: read ahead.
    func scan(
        from lower: Bytes, to upper: Bytes?, in family: Family, at moment: Moment?, isLong: Bool,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(EngineError)

    /// The present moment.
    func moment() -> Moment

    // MARK: Writing

    /// An empty batch, to be kept and used again.
    func makeBatch() -> Batch
    /// Makes all of the batch visible at once, in order, and empties it.
    func write(_ batch: Batch, _ durability: Durability) throws(EngineError)
    /// How many errors there were in what the engine does by itself. Cheap.
    var backgroundErrors: UInt64 { get }
    /// Bytes of the family that a flush would look at: written since the last one, obsolete or not. 0 where that is
    /// nothing worth knowing.
    func unflushedBytes(of family: Family) -> UInt64
    /// Makes everything durable that was written to the family before the call.
    func flush(_ family: Family) throws(EngineError)
    /// A way to fill a family that is new and empty with much at once.
    func makeLoader(into family: Family) throws(EngineError) -> any FamilyLoader

    /// Rewrites the family without what is obsolete, and waits for it. Never fails: what could not be done stays as it
    /// was.
    func compact(_ family: Family)
    /// Ends a `compact` that is under way, and gives back the room that it had taken; later ones do nothing, until
    /// `allowCompactions`.
    func cancelCompactions() throws(EngineError)
    func allowCompactions()
    /// Whether the engine compacts by itself, all families, also those that are made later.
    func setCompactsByItself(_ isOn: Bool) throws(EngineError)

    // MARK: The engine itself

    /// What operators watch; `state` is the family that holds the state now.
    func statistics(state: Family) -> StoreStatistics
    /// The engine's own account of itself, for experts; nil if it has none.
    func report(state: Family) -> String?
    /// Closes in an orderly way; what is volatile is flushed already.
    func close() throws(EngineError)
    /// Lets everything stand as it is, for a process that is about to end.
    func abandon()
}

/// How durable a batch is when `write` returns.
package enum Durability: Sendable {
    /// It survives a loss of power, and so does everything `.ordered` before it.
    case synced
    /// It survives no later than the next `.synced` batch, and never without what came before it.
    case ordered
    /// It survives no later than the next flush of its family.
    case volatile
}

/// Where an answer may come from.
package enum EngineTier: Sendable {
    /// What is in memory; never waits for a disk.
    case memory
    case all
    /// What a crash at this moment would leave of a `.volatile` family.
    case persisted
}

/// Changes that take effect together and in the order given, in any families. Owned by one thread.
package protocol EngineBatch<Family>: AnyObject {
    associatedtype Family
    var isEmpty: Bool { get }
    /// The value is the concatenation of the three parts, so that it need not be put together first.
    func put(
        _ key: UnsafeRawBufferPointer, head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer,
        tail: UnsafeRawBufferPointer, in family: Family)
    func delete(_ key: UnsafeRawBufferPointer, in family: Family)
    /// Removes `lower <= key < upper`.
    func deleteRange(from lower: Bytes, to upper: Bytes, in family: Family)
}

/// Fills an empty family. What it was given shows and is durable all together when `finish` returns; before, a crash
/// may leave any part of it.
package protocol FamilyLoader: AnyObject {
    /// Takes a pair whose key is above all keys before it.
    func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(EngineError)
    func finish() throws(EngineError)
}

extension StorageEngine {
    package var backgroundErrors: UInt64 { 0 }
    package func unflushedBytes(of family: Family) -> UInt64 { 0 }
    package func statistics(state: Family) -> StoreStatistics { StoreStatistics() }
    package func report(state: Family) -> String? { nil }
    package func compact(_ family: Family) {}
    package func cancelCompactions() throws(EngineError) {}
    package func allowCompactions() {}
    package func setCompactsByItself(_ isOn: Bool) throws(EngineError) {}
}
