package import ByteCoding

/// What a command answers, before any protocol gives it a form.
package enum Outcome: Hashable, Sendable {
    case ok
    /// No such key, or a condition that did not hold.
    case null
    case integer(Int64)
    case value(Bytes)
    case values([Bytes?])
    case failure(CommandFailure)
}

/// A command that certainly changed nothing, now. Scope: the request. The texts clients see are the server's.
package enum CommandFailure: String, Hashable, Sendable {
    case notAnInteger
    case overflow
    /// The value would exceed `Command.maxValueBytes`.
    case valueTooLong
    /// The values that were asked for exceed the limit of one reply.
    case replyTooLong
    /// A session would have to keep an old value of more than `StoredReply.maxValueBytes`.
    case oldValueTooLong
    /// There is no such session, any more or at all; an earlier request with the same number may have been executed.
    case noSession
    /// The sequence number is below the session's window; an earlier request with it may have been executed.
    case staleRequest
}
