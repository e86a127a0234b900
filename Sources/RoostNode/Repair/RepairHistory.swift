import Raft

/// When this node had to repair itself, as an operator should know for a day.
struct RepairHistory: Hashable, Sendable {
    private static let day: UInt64 = 24 * 3600

    /// Seconds since 1970.
    let times: [UInt64]

    /// The alarm at a time, in seconds since 1970; nil if there was no repair within a day of it, on either side: a clock
    /// may have been wrong.
    func alarm(of node: NodeID, at now: UInt64) -> String? {
        let count = times.count { max($0, now) - min($0, now) < Self.day }
        guard count > 0 else { return nil }
        let words = count == 1 ? "once" : "\(count) times"
        return "node \(node) has repaired itself \(words) within a day, because its data was damaged: check its disk"
    }
}
