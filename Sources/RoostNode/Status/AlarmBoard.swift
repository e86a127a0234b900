import Synchronization

/// What an operator should look at although the node serves: `/status` and `roostctl status` show it.
final class AlarmBoard: Sendable {
    enum Subject: Int, Sendable {
        /// Replicas differ.
        case difference
        /// This node has repaired itself.
        case repairs
    }

    private let alarms = Mutex<[Subject: String]>([:])

    /// Ascending by subject.
    var sentences: [String] { alarms.withLock { $0.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value) } }

    func sentence(_ subject: Subject) -> String? { alarms.withLock { $0[subject] } }

    /// Replaces what was said of the subject; nil: all is well with it.
    func set(_ subject: Subject, _ sentence: String?) { alarms.withLock { $0[subject] = sentence } }
}
