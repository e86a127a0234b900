/// What one request may cost. Reaching a limit answers `TOOBIG` and ends the connection: where the next request starts
/// is known only to a reader that takes in all of this one.
package struct RequestLimits: Hashable, Sendable {
    /// Arguments of one command, its name included. Each costs 16 bytes while the command is parsed.
    package var maxArguments: Int
    /// Bytes of one argument.
    package var maxBulkBytes: Int
    /// Bytes of one inline or JSON line, its end not included. Redis has 64 KiB.
    package var maxInlineBytes: Int
    /// Bytes of a whole request as sent, headers included: the most that a connection has to buffer.
    package var maxRequestBytes: Int

    package init(
        maxArguments: Int = 65_536,
        maxBulkBytes: Int = 8 << 20,
        maxInlineBytes: Int = 64 << 10,
        maxRequestBytes: Int = 64 << 20
    ) {
        precondition(
            maxArguments > 0 && maxBulkBytes > 0 && maxInlineBytes > 0 && maxRequestBytes > 0,
            "a request limit of zero refuses everything")
        self.maxArguments = maxArguments
        self.maxBulkBytes = maxBulkBytes
        self.maxInlineBytes = maxInlineBytes
        self.maxRequestBytes = maxRequestBytes
    }
}
