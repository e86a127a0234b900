import ByteCoding
import KeyValue
import Raft
import RaftStorage

/// Who belongs to the cluster, and how they are reached, as of an entry.
struct ClusterPosition: Hashable, Sendable {
    var membership: Membership
    var directory: ClusterDirectory
}

/// The state machine as Raft's entries drive it: keys and values, and the cluster's membership with its directory.
/// Joins `Entry` and `AppliedPosition` to `ApplyUnit`.
///
/// `@unchecked Sendable`: used by one thread at a time, recovery first, then the applier; during the install of a
/// snapshot, when the applier has nothing to do, the log writer.
final class StateMachine: @unchecked Sendable {
    struct Page {
        /// The newest stamp; 0: none.
        var stamp: UInt64 = 0
        /// What the membership is after the page, if an entry was about it.
        var cluster: ClusterPosition?
        /// What `KeyValueMachine.apply` returns for the page.
        var removals = 0
    }

    private let applyUnits: ([ApplyUnit], (Origin, [Outcome]) -> Void) throws(ApplyError) -> Int
    /// As of the last applied entry.
    private(set) var cluster: ClusterPosition

    /// - Parameters:
    ///   - incarnation: of this process; the segments that carry it are settled.
    ///   - cluster: as of the last applied entry.
    init(store: some StateStore, group: GroupID, node: NodeID, incarnation: UInt64, cluster: ClusterPosition) {
        let machine = KeyValueMachine(store: store, group: group.rawValue)
        applyUnits = { (units, settle) throws(ApplyError) in
            try machine.apply(units, settlingFor: node.rawValue, incarnation: incarnation, settle)
        }
        self.cluster = cluster
    }

    /// Whether applying the entry reads the state, and so perhaps the disk. What can't be decoded is left to `apply`.
    static func reads(_ entry: Entry) -> Bool {
        guard case .normal = entry.kind else { return false }
        do throws(FormatError) { return try Block.readsState(entry.payload) } catch { return true }
    }

    /// Applies a page as one batch, then settles this process' segments in order.
    func apply(
        _ page: some Collection<Entry>, settle: (Origin, [Outcome]) -> Void
    ) throws(NodeFailure) -> Page {
        var units: [ApplyUnit] = []
        units.reserveCapacity(page.count)
        var result = Page()
        var lastID = EntryID.zero
        for entry in page {
            var payload: Bytes?
            switch entry.kind {
            case .normal:
                payload = entry.payload
                result.stamp = max(result.stamp, Self.stamp(of: entry.payload))
            case .noop: break
            case .membership:
                try change(entry)
                result.cluster = cluster
            }
            units.append(ApplyUnit(position: Bytes(), index: entry.index.rawValue, payload: payload))
            lastID = entry.id
        }
        guard !units.isEmpty else { return result }
        units[units.count - 1].position = position(at: lastID).encode()
        Failpoint.memberBeforeApply.reach(when: result.cluster != nil)
        do throws(ApplyError) {
            result.removals = try applyUnits(units, settle)
        } catch {
            throw NodeFailure(applying: error)
        }
        return result
    }

    /// The state is that of a snapshot now.
    func replaced(by snapshot: ClusterPosition) { cluster = snapshot }

    private func position(at id: EntryID) -> AppliedPosition {
        AppliedPosition(id: id, membership: cluster.membership, directory: cluster.directory)
    }

    /// The same as in the core: a change that does not fit is without effect.
    private func change(_ entry: Entry) throws(NodeFailure) {
        let change: MembershipChange
        do throws(MalformedBytes) { change = try MembershipChange(decoding: entry.payload) } catch {
            throw Self.newerChange(entry, "\(error)")
        }
        guard let membership = try? cluster.membership.applying(change) else { return }
        do throws(StorageError) {
            cluster.directory = try cluster.directory.applying(change, resulting: membership)
        } catch {
            throw Self.newerChange(entry, error.message)
        }
        cluster.membership = membership
    }

    /// The entry fits its checksum: it is no work of a disk, and nothing may be given up for it.
    private static func newerChange(_ entry: Entry, _ reason: String) -> NodeFailure {
        NodeFailure(
            .foreignData,
            cause: "entry \(entry.index) holds a change of the membership that this version can't read: \(reason)",
            remedy: "install the version that the other nodes run, or a newer one")
    }

    private static func stamp(of payload: Bytes) -> UInt64 {
        payload.withUnsafeBytes { bytes in
            guard let block = try? Block(bytes) else { return 0 }
            return block.stamp
        }
    }
}
