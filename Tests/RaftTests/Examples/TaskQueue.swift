import ByteCoding
import Raft

/// Tasks that workers take for a while. One that is not finished in time goes to the next who asks.
struct TaskQueue: StateMachine {
    enum Output: Hashable { case added(Int), claimed(Int, String), finished, nothing, refused }

    struct Task: Hashable {
        var id: Int
        var name: String
        var worker: String?
        var deadline = 0
    }

    struct State: Hashable {
        /// Oldest first.
        var tasks: [Task] = []
        var lastID = 0
    }

    private(set) var applied: SnapshotMeta
    private(set) var state = State()

    init(founders: [NodeID]) { applied = SnapshotMeta(id: .zero, membership: Membership(voters: founders)) }

    mutating func apply(_ batch: ApplyBatch) -> [Output] {
        defer { applied = batch.end }
        return batch.commands.map { execute($0.payload.text.split(separator: " ").map(String.init)) }
    }

    /// `add NAME`, `claim WORKER NOW SECONDS`, `finish ID WORKER`. The time is the proposer's: nobody looks at a clock here.
    private mutating func execute(_ words: [String]) -> Output {
        switch words.first {
        case "add" where words.count == 2:
            state.lastID += 1
            state.tasks.append(Task(id: state.lastID, name: words[1]))
            return .added(state.lastID)
        case "claim" where words.count == 4:
            guard let now = Int(words[2]), let seconds = Int(words[3]) else { return .refused }
            guard let next = state.tasks.firstIndex(where: { $0.worker == nil || $0.deadline <= now }) else {
                return .nothing
            }
            state.tasks[next].worker = words[1]
            state.tasks[next].deadline = now &+ seconds
            return .claimed(state.tasks[next].id, state.tasks[next].name)
        case "finish" where words.count == 3:
            // Whoever lost the task to another worker cannot finish it.
            let mine = state.tasks.firstIndex { String($0.id) == words[1] && $0.worker == words[2] }
            guard let mine else { return .refused }
            state.tasks.remove(at: mine)
            return .finished
        default: return .refused
        }
    }

    /// A value's copy is a picture of it.
    func snapshot() -> State { state }

    mutating func install(_ snapshot: State, _ meta: SnapshotMeta) {
        state = snapshot
        applied = meta
    }

    func digest() -> UInt64 {
        var crc = CRC32C()
        crc.update(UInt64(state.lastID))
        for task in state.tasks {
            crc.update(Bytes("\(task.id) \(task.name) \(task.worker ?? "-") \(task.deadline)\n"))
        }
        return UInt64(crc.value)
    }
}
