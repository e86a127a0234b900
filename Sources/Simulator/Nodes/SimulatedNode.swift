import Raft
import RaftStorage

/// A machine of the world: its clock and its disk outlive the processes that run on it one after the other.
final class SimulatedNode {
    enum Condition: Equatable {
        case up
        /// Frozen: time goes on, messages wait.
        case paused
        /// No process. It may be started again.
        case down
        /// Never to be started again: its disk is lost, or holds damage that the node refuses.
        case gone
    }

    enum Waiting {
        case event(Event)
        case packet(Packet)
        case request(Request)
    }

    /// Its place in `World.nodes`.
    let place: Int
    let id: NodeID
    var clock: NodeClock
    private(set) var disk = SimulatedDisk()
    /// Names the data directory: another disk is another directory.
    private(set) var incarnation: UInt64
    /// It lost its disk and came back under its id. Those who knew it refuse it, so it counts for nothing any more.
    private(set) var isWiped = false
    /// Its disk says that it must not vote yet.
    var isSuspect = false
    /// Whether the disk was never opened to the end.
    var isNew = true
    /// Its disk was damaged on purpose: refusing it is right.
    var isDamaged = false
    var condition = Condition.down
    /// Counts the starts, and so names the process.
    private(set) var life: UInt32 = 0
    /// Counts the pauses, so that a resume meant for one doesn't end another.
    var pauses: UInt32 = 0
    private(set) var process: NodeProcess?
    /// What the last process had applied as membership; a guess about what the next will find.
    var lastMembership: Membership
    /// What happened to it while it was paused.
    var waiting: [Waiting] = []

    init(place: Int, id: NodeID, clock: NodeClock, membership: Membership) {
        self.place = place
        self.id = id
        self.clock = clock
        lastMembership = membership
        incarnation = UInt64(place) + 1
    }

    /// Whether its disk holds what it ever promised.
    var isWhole: Bool { condition != .gone && !isDamaged && !isWiped }

    /// An empty disk, between two lives.
    func replaceDisk() {
        disk = SimulatedDisk()
        incarnation += 1 << 32
        (isNew, isWiped, isDamaged, isSuspect) = (true, true, false, true)
    }

    var isUp: Bool { condition == .up }

    /// A process exists, frozen or not.
    var isAlive: Bool { process != nil }

    /// The process that an event of `life` was meant for, if it still runs.
    func process(of life: UInt32) -> NodeProcess? { life == self.life ? process : nil }

    /// The next life begins.
    func begin(_ make: (UInt32) -> NodeProcess) {
        life += 1
        process = make(life)
        condition = .up
        waiting = []
    }

    /// The process is gone, and what it had in memory.
    func end(as condition: Condition) {
        if let process { lastMembership = process.membership }
        process = nil
        waiting = []
        self.condition = condition
    }
}
