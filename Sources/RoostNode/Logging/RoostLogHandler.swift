package import Logging

/// The daemon's log: one line per event on one output.
package struct RoostLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let line: LogLine
    private let output: LogOutput
    private let now: @Sendable () -> UTCTimestamp

    package init(_ configuration: NodeConfiguration.Log, isForJournal: Bool, output: LogOutput) {
        self.init(configuration, isForJournal: isForJournal, output: output, now: UTCTimestamp.now)
    }

    /// With a clock of one's own, for tests.
    init(
        _ configuration: NodeConfiguration.Log, isForJournal: Bool, output: LogOutput,
        now: @escaping @Sendable () -> UTCTimestamp
    ) {
        logLevel = configuration.level
        line = LogLine(format: configuration.format, isForJournal: isForJournal)
        self.output = output
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Metadata of the call wins over that of the logger, the logger's over the provider's.
    package func log(event: LogEvent) {
        var all = metadataProvider?.get() ?? [:]
        all.merge(metadata) { $1 }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        output.write(line.render(event, metadata: all, at: now()))
    }
}
