/// One row of the table: what is asked, of which keys, and how many requests are under way at once.
struct Workload: Hashable, Codable, Sendable {
    var traffic: Traffic
    var valueBytes = 100
    var connections: Int
    /// Requests that a connection has under way at most. In a closed loop it sends so many, and sends again when all
    /// are answered.
    var pipeline = 1
    var keys: KeyDistribution
    /// Operations per second that are begun whatever the server does; `nil` is a closed loop, in which a connection
    /// waits for its replies.
    var rate: Int?

    init(
        _ traffic: Traffic, valueBytes: Int = 100, connections: Int, pipeline: Int = 1, keys: KeyDistribution? = nil,
        rate: Int? = nil
    ) {
        (self.traffic, self.valueBytes, self.connections) = (traffic, valueBytes, connections)
        (self.pipeline, self.keys, self.rate) = (pipeline, keys ?? traffic.usualKeys, rate)
    }

    var name: String {
        var parts = [traffic.title]
        if let rate { parts.append("\(thousands(rate))/s offered") }
        parts.append(flight)
        if valueBytes != 100 { parts.append(byteText(valueBytes)) }
        if keys != traffic.usualKeys { parts.append(keys == .zipf ? "Zipf keys" : "uniform keys") }
        return parts.joined(separator: ", ")
    }

    var flight: String {
        let clients = connections == 1 ? "1 connection" : "\(connections) connections"
        return pipeline == 1 ? clients : "\(clients) x pipeline \(pipeline)"
    }

    /// The options that ask for exactly this.
    var arguments: [String] {
        [
            "--workload", traffic.rawValue, "--connections", "\(connections)", "--pipeline", "\(pipeline)",
            "--value-bytes", "\(valueBytes)", "--distribution", keys.rawValue,
        ] + (rate.map { ["--rate", "\($0)"] } ?? [])
    }
}

/// `100 B`, `16 KiB`.
func byteText(_ count: Int) -> String { count % 1024 == 0 ? "\(count / 1024) KiB values" : "\(count) B values" }

/// With a comma between thousands.
func thousands(_ value: Int) -> String {
    var text = ""
    for (index, digit) in String(value.magnitude).reversed().enumerated() {
        if index > 0, index.isMultiple(of: 3) { text.append(",") }
        text.append(digit)
    }
    return (value < 0 ? "-" : "") + String(text.reversed())
}
