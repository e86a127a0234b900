import PeerTransport
import Raft

@testable import RoostNode

extension SpaceBoard {
    /// A look at a disk with so much room, of which 4 KiB are critical and `minFree` are wanted.
    func see(room: UInt64, minFree: UInt64 = 64 << 10, level: Room.Level = .ample) {
        let capacity: UInt64 = 1 << 30
        var limits = SpaceLimits(NodeConfiguration.Storage(), capacityBytes: capacity)
        (limits.minFree, limits.criticalFree) = (minFree, 4 << 10)
        let picture = Picture(
            reading: SpaceReading(capacityBytes: capacity, freeBytes: room, owedBytes: 0), limits: limits, level: level,
            reserveBytes: 0)
        update(
            picture,
            of: Room(
                node: NodeID(1), level: level, freeBytes: room, capacityBytes: capacity, minFreeBytes: minFree,
                criticalFreeBytes: limits.criticalFree))
    }
}
