/// What the transport tells the handler of a connection, through its pipeline.
enum LinkEvent: Sendable {
    /// Messages wait in the outbox.
    case outboxFilled
    /// Take no more messages, send those that wait, then close.
    case drain
    /// Close, and say that this node did it.
    case stop
}
