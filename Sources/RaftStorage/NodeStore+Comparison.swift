package import ByteCoding
import KeyValue
package import Raft

/// Looking at the state of one moment, to compare it with that of other replicas.
extension NodeStore {
    /// The state as it is now. On the applier's thread, so that it is known what is applied.
    package func stateMoment() -> StateMoment { records.stateMoment() }

    /// Gives `body` the pairs of a moment with `lower <= key < upper`, ascending, until it returns false. May wait for the
    /// disk.
    ///
    /// - Returns: how far the group was applied; nil if a snapshot has replaced that state since, or nothing was applied.
    /// - Throws: `.corruption`: the node must stop.
    package func scanState(
        of group: GroupID, at moment: StateMoment, from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) -> EntryID? {
        let key = AppliedRecord.key(group: group.rawValue)
        var record: Bytes?
        let end = Bytes(key.array + [0])
        let exists = try records.scanState(at: moment, from: key, to: end) { _, value in
            record = Bytes(copying: value)
            return false
        }
        guard exists, let record else { return nil }
        let position = try AppliedPosition(record: record, group: group)
        return try records.scanState(at: moment, from: lower, to: upper, body) ? position.id : nil
    }
}
