/// What a client takes in from a server before it gives the link up.
package struct ReplyLimits: Hashable, Sendable {
    /// Bytes of one bulk or verbatim string: what Redis allows a value to have.
    package var maxBulkBytes: Int
    /// Elements of one array, map, set or push.
    package var maxElements: Int
    /// Aggregates within aggregates.
    package var maxDepth: Int
    /// Bytes of one line, its end not included.
    package var maxLineBytes: Int

    package init(
        maxBulkBytes: Int = 512 << 20,
        maxElements: Int = 1 << 24,
        maxDepth: Int = 64,
        maxLineBytes: Int = 64 << 10
    ) {
        self.maxBulkBytes = maxBulkBytes
        self.maxElements = maxElements
        self.maxDepth = maxDepth
        self.maxLineBytes = maxLineBytes
    }
}

/// The server sent something that is no reply, or one beyond a limit. Scope: the link; whether the commands in flight
/// were executed is unknown.
package enum ReplyFailure: Error, Hashable, Sendable {
    case unknownType(UInt8)
    case malformedLength
    case malformedLine(type: UInt8)
    case missingBulkEnd
    case limitExceeded(String)
}
