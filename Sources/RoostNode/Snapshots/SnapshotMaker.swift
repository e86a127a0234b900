import Raft
import RaftStorage
import Synchronization

/// Makes snapshots of this node's state: as long as they are wanted, and as long as the disk has room for them.
///
/// How large a file becomes nobody knows before: the database's tables are compressed, and the file is not. And others
/// write meanwhile. So both are asked again before each block.
final class SnapshotMaker: Sendable {
    private let group: GroupID
    private let store: NodeStore
    private let space: SpaceBoard
    private let board: StatusBoard
    /// Of the last one that had no room; nil once one had.
    private let shortfall = Mutex<Shortfall?>(nil)

    /// How far a file came that had no room. To try again at once with what it had would only fill the disk once more. Not for
    /// ever: what was removed since still lies in the database's tables, and would not be in the file.
    private struct Shortfall {
        var at: MonotonicTime
        /// At least so many bytes the file would have had.
        var fileBytes: UInt64
        /// What the state had in the database then.
        var stateBytes: UInt64

        /// What a state of that size takes: rather too little, since that costs no more than one more attempt.
        func leastBytes(ofState bytes: UInt64) -> UInt64 {
            if bytes >= stateBytes { return fileBytes + (bytes - stateBytes) }
            return UInt64(Double(fileBytes) * (Double(bytes) / Double(stateBytes)))
        }
    }

    /// How long a shortfall counts.
    private let memory: Duration

    init(
        group: GroupID, store: NodeStore, space: SpaceBoard, board: StatusBoard, memory: Duration = .seconds(20)
    ) {
        self.memory = memory
        self.group = group
        self.store = store
        self.space = space
        self.board = board
    }

    /// A snapshot of what is applied now, or the last one if it will do. Any thread that may wait for a disk.
    ///
    /// - Parameters:
    ///   - term: in which this node leads. Who leads no more needs none.
    ///   - base: the log begins after it; an older snapshot would leave a gap.
    ///   - check: asked before each block too.
    /// - Throws: `.noSpace`, `.cancelled` or `.invariant`: only the snapshot was not made, and nothing is left of it; what
    ///   `check` throws; anything else must stop the node.
    func make(
        in term: Term, notBefore base: LogIndex, check: () throws(StorageError) -> Void
    ) throws(StorageError) -> SnapshotReader {
        let statistics = store.statistics()
        let state = max(statistics.stateTableBytes + statistics.stateMemtableBytes, 1)
        let now = SystemClock.monotonic()
        let least = shortfall.withLock { shortfall in
            if let last = shortfall, now.since(last.at) >= memory { shortfall = nil }
            return shortfall?.leastBytes(ofState: state) ?? state
        }
        var file = GrowingFile(space)
        let reader = try store.makeSnapshot(group, notBefore: base) { (bytes) throws(StorageError) in
            try check()
            guard board.leads(since: term) else { throw StorageError(.cancelled, "this node leads no more") }
            if bytes == 0 {
                guard space.hasRoomToSpare(for: least) else { throw Self.noRoom(forAtLeast: least) }
            } else if !file.grow(by: UInt64(bytes)) {
                let wanted = file.byteCount + UInt64(bytes)
                shortfall.withLock { $0 = Shortfall(at: SystemClock.monotonic(), fileBytes: wanted, stateBytes: state) }
                throw Self.noRoom(forAtLeast: wanted)
            }
        }
        shortfall.withLock { $0 = nil }
        return reader
    }

    private static func noRoom(forAtLeast bytes: UInt64) -> StorageError {
        StorageError(.noSpace, "no room to make a snapshot of at least \(ByteSize.rounded(bytes))")
    }
}

/// A file that may take what the disk can spare, and grows faster than the disk is looked at.
struct GrowingFile {
    private(set) var byteCount: UInt64 = 0
    private let space: SpaceBoard
    /// Of them, what the newest look at the disk can't have seen.
    private var unseen: UInt64 = 0
    private var look: Int

    init(_ space: SpaceBoard) {
        self.space = space
        look = space.looks
    }

    /// Counts bytes that come next.
    ///
    /// - Returns: false: there is no room for them, and they are not counted.
    mutating func grow(by bytes: UInt64) -> Bool {
        let newest = space.looks
        if newest != look { (look, unseen) = (newest, 0) }
        guard space.hasRoomToSpare(for: unseen + bytes) else { return false }
        unseen += bytes
        byteCount += bytes
        return true
    }
}
