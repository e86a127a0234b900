import Logging

/// How an event becomes a line.
struct LogLine: Sendable {
    var format: NodeConfiguration.Log.Format
    /// The journal reads it: each line starts with its priority, and the text form leaves out the time, which the
    /// journal has already. JSON keeps it: programs that read the objects need not care how they travelled.
    var isForJournal: Bool

    func render(_ event: LogEvent, metadata: Logger.Metadata, at time: UTCTimestamp) -> String {
        let prefix = isForJournal ? Journal.prefix(event.level) : ""
        let fields = metadata.sorted { $0.key < $1.key }
        switch format {
        case .text: return prefix + Self.text(event, fields, isForJournal ? nil : time)
        case .json: return prefix + Self.json(event, fields, time)
        }
    }

    /// `2026-11-21T01:28:03.123Z notice became leader raft.term=3`
    private static func text(
        _ event: LogEvent, _ fields: [(key: String, value: Logger.MetadataValue)], _ time: UTCTimestamp?
    ) -> String {
        var line = time.map { "\($0) " } ?? ""
        line += "\(event.level) \(oneLine("\(event.message)"))"
        for (key, value) in fields { line += " \(bare(key))=\(bare("\(value)"))" }
        return line
    }

    /// `{"time":"…","level":"notice","message":"became leader","raft.term":"3"}`
    private static func json(
        _ event: LogEvent, _ fields: [(key: String, value: Logger.MetadataValue)], _ time: UTCTimestamp
    ) -> String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(event.level)\",\"message\":\("\(event.message)".quoted)"
        for (key, value) in fields {
            // A key of ours must not occur twice in an object.
            let name = ["time", "level", "message"].contains(key) ? "metadata.\(key)" : key
            line += ",\(name.quoted):\(json(value))"
        }
        return line + "}"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let string): return string.quoted
        case .stringConvertible(let value): return "\(value)".quoted
        case .array(let values): return "[\(values.map(json).joined(separator: ","))]"
        case .dictionary(let values):
            let pairs = values.sorted { $0.key < $1.key }.map { "\($0.key.quoted):\(json($0.value))" }
            return "{\(pairs.joined(separator: ","))}"
        }
    }

    /// As it is when that is unambiguous, else quoted.
    private static func bare(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" && $0 != "=" }
        return isPlain && !text.isEmpty ? text : text.quoted
    }

    /// A message keeps its blanks and quotes; only what would break the line is escaped.
    private static func oneLine(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        return isPlain ? text : String(text.quoted.dropFirst().dropLast())
    }
}
