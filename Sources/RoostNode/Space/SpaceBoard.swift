import PeerTransport
import Synchronization

/// What is known about room on disks, for everyone who asks: the doors (on event loops), the threads that write, status
/// and metrics. Written by the watch (this node's disk) and the consensus thread (what the cluster takes).
final class SpaceBoard: Sendable {
    struct Picture: Hashable, Sendable {
        var reading: SpaceReading
        var limits: SpaceLimits
        var level: Room.Level
        /// Bytes of the reserve file that is there.
        var reserveBytes: UInt64
        /// Bytes that the database from before a repair holds.
        var copyBytes: UInt64 = 0

        /// A compaction that nobody can judge beforehand is ended when it leaves less than this: deletions must still be taken,
        /// and a fast disk takes 20 MiB between two looks.
        var leastRoomOfCompactions: UInt64 {
            limits.criticalFree + min(64 << 20, reading.capacityBytes / 16)
        }
    }

    /// Writes that were refused for lack of room.
    let refused = NodeMetrics.Counter()
    private let current = Mutex<Picture?>(nil)
    private let own = Mutex<Room?>(nil)
    private let verdict = Mutex<RoomVerdict?>(nil)
    private let admitted = Atomic<UInt8>(RoomVerdict.Admission.all.rawValue)
    private let cutCount = Atomic<Int>(0)
    private let lookCount = Atomic<Int>(0)

    /// Nil before the first look, and for a node that keeps nothing on a disk.
    var picture: Picture? { current.withLock { $0 } }

    func update(_ picture: Picture, of room: Room) {
        current.withLock { $0 = picture }
        own.withLock { $0 = room }
        settleAdmission()
        lookCount.add(1, ordering: .releasing)
    }

    /// How often the disk was looked at.
    var looks: Int { lookCount.load(ordering: .acquiring) }

    // MARK: What this disk has room for

    /// Whether the node should give back what it can.
    var isPressed: Bool { picture.map { $0.reading.lastingRoomBytes < $0.limits.pressed } ?? false }

    /// Whether what is owed can be written now. RocksDB of Debian aborts the process when a flush finds no room.
    var mayFlush: Bool {
        picture.map { $0.reading.freeBytes >= $0.reading.owedBytes + $0.limits.criticalFree / 4 } ?? true
    }

    /// Whether that many bytes may be taken without coming near the end.
    func hasRoom(for bytes: UInt64) -> Bool {
        guard let picture else { return true }
        let (needed, overflow) = bytes.addingReportingOverflow(picture.limits.criticalFree)
        return !overflow && picture.reading.roomBytes >= needed
    }

    /// The same for what can be done later: neither is a node with ample room to be low for it. It would hand over, and the
    /// next leader would do the same.
    func hasRoomToSpare(for bytes: UInt64) -> Bool {
        guard let picture, picture.level == .ample else { return hasRoom(for: bytes) }
        let (needed, overflow) = bytes.addingReportingOverflow(picture.limits.minFree)
        return !overflow && picture.reading.lastingRoomBytes >= needed && hasRoom(for: bytes)
    }

    /// How often the log was cut in this process: what is cut need not be written to table files any more.
    var cuts: Int { cutCount.load(ordering: .relaxed) }

    func noteCut() { cutCount.add(1, ordering: .relaxed) }

    // MARK: What the cluster takes

    /// As the leader says; everything while none has said anything. Nothing on a node whose own disk is full: it takes no
    /// entries, so it could not learn what becomes of a write.
    var admission: RoomVerdict.Admission {
        RoomVerdict.Admission(rawValue: admitted.load(ordering: .relaxed)) ?? .all
    }

    func adopt(_ new: RoomVerdict) {
        verdict.withLock { $0 = new }
        settleAdmission()
    }

    /// Called by two threads; should one overtake the other, the next look puts it right.
    private func settleAdmission() {
        let isFull = own.withLock { $0?.level == .full }
        let said = verdict.withLock { $0?.admission ?? .all }
        let admission: RoomVerdict.Admission = isFull ? .none : said
        admitted.store(admission.rawValue, ordering: .relaxed)
    }

    /// The error for a write that is not taken, with the numbers and what helps.
    func refusalText() -> String {
        refused.add()
        let own = own.withLock { $0 }
        if let own, own.level == .full { return Self.refusal(own, .none) }
        guard let verdict = verdict.withLock({ $0 }) else {
            return "NOSPACE a disk of the cluster was short of room a moment ago; command not executed, try again"
        }
        return Self.refusal(verdict.tightest, verdict.admission)
    }

    private static func refusal(_ room: Room, _ admission: RoomVerdict.Admission) -> String {
        let (limit, name, taken, remedy) =
            switch admission {
            case .none:
                (
                    room.criticalFreeBytes, "storage.critical_free_bytes", "no write is taken",
                    "free space on that file system, or try another node"
                )
            case .freeing, .all:
                (
                    room.minFreeBytes, "storage.min_free_bytes, or what a compaction takes",
                    "only DEL and FLUSHALL are taken, and reads",
                    "delete keys or free space on that file system"
                )
            }
        return "NOSPACE node \(room.node) has \(ByteSize.rounded(room.freeBytes)) free of "
            + "\(ByteSize.rounded(room.capacityBytes)) and keeps \(ByteSize.rounded(limit)) (\(name)): \(taken); "
            + "\(remedy); command not executed"
    }
}
