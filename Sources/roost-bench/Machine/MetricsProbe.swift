import Foundation

/// Reads one number from a server's metrics in the Prometheus text format.
enum MetricsProbe {
    /// The sum over the samples of that name without labels, of all ports; nil if a server does not tell.
    static func sum(_ name: String, ports: [UInt16]) -> Int? {
        var sum = 0
        for port in ports {
            guard let text = HTTPProbe.get("/metrics", port: port), let value = value(name, in: text) else {
                return nil
            }
            sum += value
        }
        return sum
    }

    static func value(_ name: String, in text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return line.flatMap { Double($0.dropFirst(name.count + 1)) }.map { Int($0) }
    }
}

enum HTTPProbe {
    static func get(_ path: String, port: UInt16) -> String? {
        guard let connection = LoopbackConnection(port: port),
            connection.send("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n")
        else { return nil }
        var bytes: [UInt8] = []
        while let more = connection.receive() { bytes += more }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) }
    }
}
