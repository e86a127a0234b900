import ByteCoding
import KeyValue
import Raft
import RaftStorage

/// The key-value state machine as Raft's entries drive it: joins `Entry` and `AppliedPosition` to `ApplyUnit`.
///
/// `@unchecked Sendable`: used by one thread at a time, recovery first, then the applier.
final class StateMachine: @unchecked Sendable {
    private let applyUnits: ([ApplyUnit], (Origin, [Outcome]) -> Void) throws(ApplyError) -> Void
    private let membership: Membership

    /// - Parameters:
    ///   - incarnation: of this process; the segments that carry it are settled.
    init(
        store: some StateStore, group: GroupID, node: NodeID, incarnation: UInt64, membership: Membership
    ) {
        let machine = KeyValueMachine(store: store, group: group.rawValue)
        applyUnits = { (units, settle) throws(ApplyError) in
            try machine.apply(units, settlingFor: node.rawValue, incarnation: incarnation, settle)
        }
        self.membership = membership
    }

    /// Applies a page as one batch, then settles this process' segments in order.
    ///
    /// - Returns: the newest stamp in the page; 0: none.
    func apply(
        _ page: some Collection<Entry>, settle: (Origin, [Outcome]) -> Void
    ) throws(NodeFailure) -> UInt64 {
        var units: [ApplyUnit] = []
        units.reserveCapacity(page.count)
        var stamp: UInt64 = 0
        for entry in page {
            let payload = entry.kind == .normal ? entry.payload : nil
            if let payload { stamp = max(stamp, Self.stamp(of: payload)) }
            units.append(ApplyUnit(position: Bytes(), index: entry.index.rawValue, payload: payload))
        }
        guard let last = page.reversed().first else { return 0 }
        units[units.count - 1].position = AppliedPosition(id: last.id, membership: membership).encode()
        do throws(ApplyError) {
            try applyUnits(units, settle)
        } catch {
            throw NodeFailure(applying: error)
        }
        return stamp
    }

    private static func stamp(of payload: Bytes) -> UInt64 {
        payload.withUnsafeBytes { bytes in
            guard let block = try? Block(bytes) else { return 0 }
            return block.stamp
        }
    }
}
