import ByteCoding
package import Raft
import Synchronization

extension NodeStore {
    /// Writes the batches, in order, as one synced write: on return all of them are durable, after an error or a crash
    /// all or none. One thread at a time calls it.
    ///
    /// - Throws: `.invariant` for a batch that would break the log (nothing is written then); anything else is final.
    package func write(_ batches: [PersistBatch]) throws(StorageError) {
        try failStop { () throws(StorageError) in
            var bounds: [GroupID: LogBounds] = [:]
            var writes: [LogWrite] = []
            writes.reserveCapacity(batches.count)
            for batch in batches {
                if bounds[batch.group] == nil { bounds[batch.group] = try self.bounds(of: batch.group) }
                writes.append(try bounds[batch.group]!.append(batch))
            }
            Failpoint.memberBeforeSync.reach(when: batches.changeMembership)
            if try Failpoint.logBeforeSync.reachOrLose() { try records.log.write(writes) }
            try Failpoint.logAfterSync.reachOrFail()
            Failpoint.memberAfterSync.reach(when: batches.changeMembership)
            update(bounds)
        }
    }

    /// Reads entries back for a follower: contiguous, from `request.from`, as many as its limits allow, at least one;
    /// each is checked. Empty only if the log was meanwhile cut past `request.from`: there is nothing to answer then.
    ///
    /// - Throws: `.corruption` at a gap or a wrong checksum: the node must stop.
    package func entries(_ request: FetchRequest) throws(StorageError) -> [Entry] {
        guard request.from <= request.through else { return [] }
        var entries: [Entry] = []
        var bytes = 0
        try records.log.scan(request.group, request.from...request.through) { (entry) throws(StorageError) in
            guard entry.index.rawValue == request.from.rawValue + UInt64(entries.count) else { return false }
            bytes += entry.payload.count
            guard entries.isEmpty || bytes <= request.maxBytes else { return false }
            entries.append(entry)
            return true
        }
        // The marker was written with the removal: whoever sees the gap sees it, too. `bounds` may still be behind.
        if entries.isEmpty, try records.log.head(of: request.group).truncated.index < request.from {
            throw StorageError(.corruption, "log entry \(request.from) of group \(request.group) is missing")
                .advising(.log)
        }
        return entries
    }

    /// Cuts the log up to and including that entry, for `Input.compacted`. Not synced: durable with the next `write`, and
    /// never out of order with others.
    ///
    /// - Parameter new: an entry that is in the log, or was.
    /// - Returns: false if that was cut before.
    /// - Throws: `.invariant` beyond `durableApplied`: recovery would miss what only the log still holds.
    package func truncateLog(_ group: GroupID, through new: EntryID) throws(StorageError) -> Bool {
        try failStop { () throws(StorageError) in
            let old = try bounds(of: group).truncated
            if new.index <= old.index { return false }
            let durable = try durableApplied(group)
            guard new.index <= durable.index, durable.index > new.index || durable == new else {
                throw StorageError(
                    .invariant, "the log of group \(group) can't be cut at \(new): only \(durable) is durable")
            }
            try Failpoint.truncateBefore.reachOrFail()
            try records.log.truncate(group, from: old, through: new)
            Failpoint.truncateAfter.reach()
            logs.withLock { $0[group]?.truncated = new }
            // It serves as long as the log reaches back to it. Who is sending it has the file open.
            try shelf.removeOwn(group, before: new.index)
            return true
        }
    }

    /// - Throws: `.invariant` before `recover`.
    func bounds(of group: GroupID) throws(StorageError) -> LogBounds {
        guard let bounds = logs.withLock({ $0[group] }) else {
            throw StorageError(.invariant, "group \(group) is used before it was recovered")
        }
        return bounds
    }

    /// Takes over what the log writer changes; `truncateLog` changes `truncated` beside it.
    private func update(_ bounds: [GroupID: LogBounds]) {
        logs.withLock { logs in
            for (group, written) in bounds {
                logs[group]?.last = written.last
                logs[group]?.commit = written.commit
            }
        }
    }
}

extension [PersistBatch] {
    /// Whether an entry of them is a change of the membership.
    fileprivate var changeMembership: Bool { contains { $0.entries.contains { $0.kind == .membership } } }
}
