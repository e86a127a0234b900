/// What a session may keep, and how long. Written into the command that opens it: every replica must come to the same, so
/// no setting of a node takes part.
package struct SessionLimits: Hashable, Sendable {
    /// The largest `window`: a bound of the work that one command can cause.
    package static let maxWindow: UInt32 = 1024

    /// The session ends once a stamp shows that no new request came for longer than this. Default one hour.
    package var idleMilliseconds: UInt64
    /// How many sequence numbers, counted down from the highest one executed, can be told from new ones; so also the most
    /// requests that a client may have open at a time. Default 128; `1 ... maxWindow`.
    package var window: UInt32
    /// The most sessions that the group holds when this one has been opened; the least recently used ones make room.
    /// Default 4,096; at least 1. With full windows of the default a group's sessions then take about 30 MiB if replies
    /// are integers, and 4 GiB if each is as long as `StoredReply.maxValueBytes` allows.
    package var maxSessions: UInt32

    package init(idleMilliseconds: UInt64, window: UInt32, maxSessions: UInt32) {
        self.idleMilliseconds = idleMilliseconds
        self.window = window
        self.maxSessions = maxSessions
    }

    package static let standard = SessionLimits(idleMilliseconds: 3_600_000, window: 128, maxSessions: 4096)

    /// Whether a command may carry them.
    package var isValid: Bool { (1...Self.maxWindow).contains(window) && maxSessions >= 1 }
}
