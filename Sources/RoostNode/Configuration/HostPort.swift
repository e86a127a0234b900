/// A host name or address and a TCP port, written `host:port`; an IPv6 address stands in brackets, `[::1]:6400`.
package struct HostPort: Hashable, Sendable {
    /// A name, an IPv4 address or an IPv6 address without brackets. Never empty.
    package var host: String
    /// 0...65535. 0 only where this node listens: the system picks a free port.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[host]:port`; nil when either part is missing or malformed.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.count <= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), port <= 65535
        else { return nil }
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil  // An IPv6 address without brackets: where the port starts would be a guess.
        }
        guard !host.isEmpty, host.utf8.allSatisfy(Self.isHostByte) else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Only this machine can reach it. A name other than `localhost` counts as reachable from outside.
    package var isLoopback: Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Stands for every address of this machine: one can listen there, nobody can dial it.
    package var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

    /// Letters, digits and what occurs in names and addresses; keeps blanks, quotes and control bytes out.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"): true
        default: false
        }
    }
}

extension HostPort: CustomStringConvertible {
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
