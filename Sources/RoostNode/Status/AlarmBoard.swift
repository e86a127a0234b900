import Synchronization

/// What an operator should look at although the node serves: `/status` and `roostctl status` show it.
final class AlarmBoard: Sendable {
    enum Subject: Int, Sendable {
        /// Replicas differ.
        case difference
        /// This node has repaired itself.
        case repairs
        /// What this node reads at its next start is damaged.
        case startFiles
    }

    private let alarms = Mutex<[Subject: @Sendable () -> String?]>([:])

    /// Ascending by subject.
    var sentences: [String] {
        alarms.withLock { $0 }.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap { $0.value() }
    }

    func sentence(_ subject: Subject) -> String? { alarms.withLock { $0[subject] }?() }

    /// Replaces what was said of the subject; nil: all is well with it.
    func set(_ subject: Subject, _ sentence: String?) { set(subject) { sentence } }

    /// The same for what changes by time alone: `sentence` is asked whenever somebody looks.
    func set(_ subject: Subject, _ sentence: @escaping @Sendable () -> String?) {
        alarms.withLock { $0[subject] = sentence }
    }
}
