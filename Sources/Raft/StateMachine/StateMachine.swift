/// What the nodes of a group keep equal: a machine that takes the committed entries, in order, and answers.
///
/// The core never sees it. A shell makes an `ApplyBatch` of `Effect.apply`, lets the machine apply it (on another thread
/// if it likes), and reports `Input.applied`; docs/library.md shows a whole one. What a machine must keep:
///
/// 1. **Equal entries, equal states.** `apply` follows from the state and the batch alone. No clock, no chance, no
///    setting of this node, no order of a hash table. What a command needs of these (the time, a random number) its
///    proposer writes into it. How the entries are cut into batches must not show either.
/// 2. **The position is part of the state.** Whatever keeps the effects of a batch keeps `batch.end` in the same atomic
///    step. A crash may take the machine back to an earlier position, from where it is fed again; it never leaves a hole.
/// 3. **Commands see those before them**, also those of their own batch that are not written anywhere yet.
/// 4. **Every command has an outcome.** What is committed stays; a command that makes no sense must do the same everywhere,
///    most often nothing, and never stop a node.
/// 5. **A failure stops the node.** After an error nobody knows what was applied: no retry, start again from what is
///    durable.
public protocol StateMachine: ~Copyable {
    /// What a command gives to whoever proposed it.
    associatedtype Output
    /// All of a state, as it was at one moment.
    associatedtype Snapshot
    /// What may go wrong with the place where the state is kept; `Never` for memory.
    associatedtype Failure: Error

    /// The last entry whose effects the state holds, and the membership as of it. `EntryID.zero` and the founders, or an
    /// installed snapshot's, before anything was applied.
    var applied: SnapshotMeta { get }

    /// Applies what follows `applied`.
    ///
    /// - Returns: the outcome of each of `batch.commands`, in their order.
    mutating func apply(_ batch: ApplyBatch) throws(Failure) -> [Output]

    /// A picture of the state as of `applied`. Cheap: reading it out and sending it is done elsewhere, while the machine
    /// goes on, and must not show what is applied meanwhile.
    func snapshot() throws(Failure) -> Snapshot

    /// Replaces the whole state by that of another node, in one atomic, durable step.
    ///
    /// - Parameter meta: becomes `applied`, and is later than it.
    mutating func install(_ snapshot: Snapshot, _ meta: SnapshotMeta) throws(Failure)

    /// A short form of the whole state without its position: equal on all nodes that have applied the same entries, so
    /// that replicas can be compared.
    func digest() throws(Failure) -> UInt64
}
