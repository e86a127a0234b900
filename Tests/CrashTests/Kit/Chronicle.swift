import Testing

/// What clients were promised in the course of a test, round after round.
struct Chronicle {
    private var ledgers: [(round: String, ledger: Ledger)] = []

    /// Said at the end of a test that has found nothing.
    var summary: String { "\(ledgers.reduce(0) { $0 + $1.ledger.acknowledged }) writes acknowledged, none lost" }

    /// Adds a round and compares it with the store, as one node shows it.
    mutating func add(_ ledger: Ledger, round: String, readAt node: DaemonProcess) throws {
        ledgers.append((round, ledger))
        let violations = try ledger.violations(node.connect(timeout: .seconds(30)))
        try #require(violations.isEmpty, "\(round), read at node \(node.node): \(violations.prefix(10))")
    }

    /// Whatever was acknowledged in any round is still there.
    func check(at node: DaemonProcess) throws {
        let connection = try node.connect(timeout: .seconds(30))
        for (round, ledger) in ledgers {
            let violations = try ledger.violations(connection)
            #expect(violations.isEmpty, "\(round), read later at node \(node.node): \(violations.prefix(10))")
        }
    }
}

/// Writes at these nodes while `injury` happens.
///
/// - Parameters:
///   - before: so many writes are acknowledged before the injury.
///   - after: so many more before the load ends. 0: whoever is left need not serve.
func underLoad(
    _ nodes: [DaemonProcess], round: String, writers: Int = 4, before: Int = 60, after: Int = 40,
    _ injury: () throws -> Void
) throws -> Ledger {
    let load = WriteLoad(ports: nodes.map(\.settings.redis), writers: writers, prefix: round)
    do {
        try waitForProgress(load, before, "before the injury")
        try injury()
        try waitForProgress(load, after, "after the injury")
    } catch {
        throw TestFailure("\(round): \(error); \(load.stop().summary)")
    }
    return load.stop()
}

private func waitForProgress(_ load: WriteLoad, _ count: Int, _ what: String) throws {
    let goal = load.acknowledged + count
    try eventually("\(count) more writes are acknowledged \(what)", within: .seconds(40), every: .milliseconds(1)) {
        load.acknowledged >= goal ? () : nil
    }
}

extension DaemonProcess {
    /// Limits so small that flushes, cuts of the log and snapshots come all the time.
    static let restless = [
        "--max-unflushed-entries", "100", "--truncation-slack-entries", "10", "--max-retained-entries", "100",
        "--log-write-buffer-bytes", "1MiB", "--state-write-buffer-bytes", "256KiB", "--min-free-bytes", "auto",
        "--reserve-bytes", "64KiB",
    ]
    /// Small files, so that a disk image stays small.
    static let frugal = [
        "--log-write-buffer-bytes", "4MiB", "--state-write-buffer-bytes", "2MiB", "--min-free-bytes", "auto",
        "--reserve-bytes", "1MiB",
    ]
}

/// Sleeps for up to so many milliseconds.
func breathe(upTo limit: Int, _ random: inout SplitMix64) {
    pause(.milliseconds(Int.random(in: 0...limit, using: &random)))
}
