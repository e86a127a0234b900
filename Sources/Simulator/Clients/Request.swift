import ByteCoding
import KeyValue

/// One attempt of a client's operation, on its way to a node.
struct Request {
    var client: Int
    /// Names the attempt among the client's.
    var attempt: UInt32
    var node: Int
    var operation: ClientOperation
    var once: SessionRequest?
}

/// A node's answer.
struct Reply {
    enum Content {
        case outcome(Outcome)
        /// This attempt certainly did nothing.
        case refused
    }

    var client: Int
    var attempt: UInt32
    var content: Content
    /// The request that this answers, if it has a name.
    var once: SessionRequest?
}
