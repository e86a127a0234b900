/// Where a peer is dialled or a transport listens: a host name or an IP address, and a TCP port.
///
/// A local hint and never an identity: it may be a proxy's or a translated one.
package struct PeerAddress: Hashable, Sendable {
    package var host: String
    /// 0 to 65535; 0 only to listen: any free port.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

extension PeerAddress: CustomStringConvertible {
    /// `host:port`, with brackets around an IPv6 address.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
