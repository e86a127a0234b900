import ByteCoding
import KeyValue

/// One client: at most one operation under way, again and again until it is answered or given up.
struct Client {
    struct Pending {
        var operation: ClientOperation
        var once: SessionRequest?
        var invoked: WorldTime
        /// Attempts so far, and whether all of them certainly did nothing.
        var attempts = 0
        var isRefusedSoFar = true
        /// An attempt is under way; else the next one is planned.
        var isAsking = false
        /// Place in the history, if it is recorded.
        var record: Int?
    }

    let place: Int
    /// Whether it wants its writes exactly once.
    let usesSession: Bool
    /// It never writes, and so is never held up by writes that can't be committed.
    let isReader: Bool
    var session: SessionID?
    var lastSequence: UInt64 = 0
    /// A number of the session that was left out, and comes next.
    var skipped: UInt64?
    /// The latest numbers of the session that were answered.
    var answered: [UInt64] = []
    /// Names attempts, so that late answers are known as such.
    var attempt: UInt32 = 0
    var pending: Pending?
    /// Where its last attempt went.
    var node: Int
    /// What it last saw in a key, for compare-and-set.
    var lastSeen: [Bytes?]
    var operations = 0
}
