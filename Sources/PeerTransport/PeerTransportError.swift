/// Why a transport could not start. Scope: the node.
package struct PeerTransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address that could not be bound.
    package var address: PeerAddress
    /// As the operating system gave it, e.g. `EADDRINUSE`; 0 when the host name could not be resolved.
    package var errno: Int32
    /// The operating system's words.
    package var cause: String

    package var description: String { "cannot listen for peers on \(address): \(cause)" }
}
