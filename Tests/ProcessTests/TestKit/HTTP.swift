/// One GET over a connection of its own.
struct HTTPResponse {
    let status: Int
    let headers: [String: String]
    let body: String

    static func get(_ path: String, port: UInt16) throws -> HTTPResponse {
        try send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", port: port)
    }

    static func send(_ request: String, port: UInt16) throws -> HTTPResponse {
        let socket = try ClientSocket(port: port)
        try socket.write(Array(request.utf8))
        return try HTTPResponse(text: String(decoding: socket.readToEnd(), as: UTF8.self))
    }

    private init(text: String) throws {
        guard let split = text.firstRange(of: "\r\n\r\n") else { throw TestFailure("not HTTP: \(text.prefix(200))") }
        let lines = text[..<split.lowerBound].split(separator: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let code = Int(words[1]) else {
            throw TestFailure("not a status line: \(lines[0])")
        }
        status = code
        headers = Dictionary(
            lines.dropFirst().map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (parts[0].lowercased(), String(parts.last ?? "").trimmingSpaces())
            }, uniquingKeysWith: { first, _ in first })
        let rest = String(text[split.upperBound...])
        body = headers["transfer-encoding"]?.lowercased() == "chunked" ? Self.unchunk(rest) : rest
    }

    private static func unchunk(_ text: String) -> String {
        var left = Array(text.utf8)[...]
        var body: [UInt8] = []
        while let end = left.firstIndex(of: 0x0A) {
            let size = String(decoding: left[left.startIndex..<end], as: UTF8.self).trimmingSpaces()
            guard let count = Int(size, radix: 16), count > 0 else { break }
            body += left[(end + 1)...].prefix(count)
            left = left[(end + 1)...].dropFirst(count + 2)
        }
        return String(decoding: body, as: UTF8.self)
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
