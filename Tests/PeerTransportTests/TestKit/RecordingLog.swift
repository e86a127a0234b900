import Logging

/// A logger whose lines a test can wait for.
struct RecordingLog: LogHandler {
    struct Line: Hashable, Sendable {
        var level: Logger.Level
        var message: String
        var metadata: [String: String]
    }

    let lines: Recorder<Line>
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.trace

    init(_ lines: Recorder<Line>) { self.lines = lines }

    static func logger(_ lines: Recorder<Line>) -> Logger { Logger(label: "test") { _ in RecordingLog(lines) } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.append(
            Line(
                level: event.level, message: event.message.description,
                metadata: (event.metadata ?? [:]).mapValues(\.description)))
    }
}

extension Recorder where Element == RecordingLog.Line {
    /// Waits for a warning whose reason contains the text.
    @discardableResult func warning(_ text: String) async throws -> RecordingLog.Line {
        try await first { $0.level == .warning && $0.metadata["reason", default: ""].contains(text) }
    }
}
