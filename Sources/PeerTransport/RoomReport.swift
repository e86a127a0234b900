package import Raft

/// How much room a node has on its disk, and, from a leader, which writes the cluster takes and how much of its
/// membership is settled: told to every peer once a second, and at once when it changes.
package struct RoomReport: Hashable, Sendable {
    package var group: GroupID
    package var from: NodeID
    package var to: NodeID
    /// Of the sender's disk.
    package var room: Room
    /// Nil from a node that does not lead.
    package var verdict: RoomVerdict?
    /// Changes of the membership up to here will not be forgotten, whoever is told of it (`Effect.membershipSettled`). 0
    /// from a node that does not lead, or does not know.
    package var settled: LogIndex

    package init(
        group: GroupID, from: NodeID, to: NodeID, room: Room, verdict: RoomVerdict?, settled: LogIndex = .zero
    ) {
        self.group = group
        self.from = from
        self.to = to
        self.room = room
        self.verdict = verdict
        self.settled = settled
    }
}

/// The disk of one node. Limits are that node's own.
package struct Room: Hashable, Sendable {
    package enum Level: UInt8, Comparable, Sendable {
        case ample = 0
        /// Below `minFreeBytes`: what needs room should go elsewhere.
        case low = 1
        /// Below `criticalFreeBytes`: it takes no entries any more.
        case full = 2

        package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    package var node: NodeID
    package var level: Level
    package var freeBytes: UInt64
    package var capacityBytes: UInt64
    package var minFreeBytes: UInt64
    package var criticalFreeBytes: UInt64

    package init(
        node: NodeID, level: Level, freeBytes: UInt64, capacityBytes: UInt64, minFreeBytes: UInt64,
        criticalFreeBytes: UInt64
    ) {
        self.node = node
        self.level = level
        self.freeBytes = freeBytes
        self.capacityBytes = capacityBytes
        self.minFreeBytes = minFreeBytes
        self.criticalFreeBytes = criticalFreeBytes
    }
}

/// Which writes of clients a leader lets into its log.
package struct RoomVerdict: Hashable, Sendable {
    package enum Admission: UInt8, Sendable {
        case all = 0
        /// Only those that give room back.
        case freeing = 1
        case none = 2
    }

    /// The leader's; with its node id it names one leadership.
    package var term: Term
    package var admission: Admission
    /// The disk for whose sake not everything is admitted; that of the leader when everything is.
    package var tightest: Room

    package init(term: Term, admission: Admission, tightest: Room) {
        self.term = term
        self.admission = admission
        self.tightest = tightest
    }
}
