/// Where a node's redis port listens, as `HOST:PORT`; an IPv6 address stands in brackets.
struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    var host: String
    var port: UInt16

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `nil` unless the text is a host, a colon, and a port from 1 to 65535.
    init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    /// A comma-separated list; `nil` if it is empty or any part of it is no endpoint.
    static func list(_ text: String) -> [Endpoint]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let endpoints = parts.compactMap { Endpoint(trimming($0)) }
        return endpoints.count == parts.count ? endpoints : nil
    }

    private static func trimming(_ text: Substring) -> Substring {
        let front = text.drop(while: \.isWhitespace)
        guard let last = front.lastIndex(where: { !$0.isWhitespace }) else { return front.prefix(0) }
        return front[...last]
    }
}

extension Endpoint {
    /// Where a node started by hand listens.
    static let standard = Endpoint(host: "127.0.0.1", port: 6400)
}
