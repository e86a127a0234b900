import ByteCoding

/// The replicated state machine: applies the engine's units to one group's keys, in order.
///
/// Deterministic: the state after a unit follows from the state before it and the unit's bytes alone. No clock, setting or
/// counter of this node takes part. Owned by the applier thread; not thread-safe. Nobody else applies to the group's state
/// while a machine does, but the state may be replaced as a whole between two calls by one that is further on.
package final class KeyValueMachine<Store: StateStore> {
    private let store: Store
    private let group: UInt64
    /// Emptied by each commit and used again, so that its memory is too.
    private let batch: Store.Batch
    private let appliedKey: Bytes
    private let sessions = SessionTable()
    private var hasFailed = false

    package init(store: Store, group: UInt64) {
        self.store = store
        self.group = group
        batch = store.makeBatch()
        appliedKey = AppliedRecord.key(group: group)
    }

    /// Read it where the machine is used: on the applier's thread.
    package var sessionStatistics: SessionStatistics {
        var statistics = sessions.statistics
        statistics.open = sessions.count
        return statistics
    }

    /// Applies the units as one batch of the store, which also moves the applied record to the last one's position; then,
    /// when all of it is visible to readers, gives `settle` the outcomes of the segments that this process sent.
    ///
    /// Blind writes stay blind: if no command of the call depends on the state, nothing is read and nothing is
    /// remembered. Otherwise an overlay of the call's own writes lets later commands see earlier ones.
    ///
    /// - Parameters:
    ///   - node, incarnation: whose segments to settle: those of this very process.
    ///   - settle: called once for each of them, in the order of apply, with one outcome per command in order.
    /// - Returns: how many keys were removed, and removals of all keys: each leaves something to compact away.
    /// - Throws: `ApplyError`, after which the machine must not be used any more.
    @discardableResult
    package func apply(
        _ units: [ApplyUnit],
        settlingFor node: UInt64,
        incarnation: UInt64,
        _ settle: (Origin, [Outcome]) -> Void
    ) throws(ApplyError) -> Int {
        precondition(!hasFailed, "group \(group) is applied to after a failure; the node should have stopped")
        guard let first = units.first, let last = units.last else { return 0 }
        hasFailed = true
        sessions.willApply(from: first.index)
        let tracksWrites = try Self.readsState(units)
        var transition = Transition(
            store: store, batch: batch, group: group, sessions: sessions, tracksWrites: tracksWrites)
        var settlements: [(Origin, [Outcome])] = []
        for unit in units {
            guard let payload = unit.payload else { continue }
            try transition.apply(payload, index: unit.index) { origin in
                origin.node == node && origin.incarnation == incarnation
            } settle: { origin, outcomes in
                settlements.append((origin, outcomes))
            }
        }
        transition.finish()
        putAppliedRecord(last.position)
        do throws(StateStoreError) { try store.commit(batch) } catch { throw .store(error) }
        sessions.didApply(through: last.index)
        hasFailed = false
        for (origin, outcomes) in settlements { settle(origin, outcomes) }
        return transition.removals
    }

    /// Whether any command reads.
    private static func readsState(_ units: [ApplyUnit]) throws(ApplyError) -> Bool {
        for unit in units {
            guard let payload = unit.payload else { continue }
            do throws(FormatError) {
                if try Block.readsState(payload) { return true }
            } catch {
                throw .payload(index: unit.index, error)
            }
        }
        return false
    }

    private func putAppliedRecord(_ position: Bytes) {
        batch.put(appliedKey, AppliedRecord(position: position).encode(group: group))
    }
}
