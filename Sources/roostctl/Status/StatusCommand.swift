import ArgumentParser

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the nodes and what they say about each other.",
        discussion: "Exit code 0: healthy; 1: degraded, it serves but something needs a look; 2: no majority.")

    /// An election takes less; a state seen in the middle of one is not worth an alarm.
    private static let electionPatience = Duration.seconds(2)

    @ParentCommand var root: Roostctl

    func run() throws {
        var code: Int32 = 0
        try reportingFailure {
            let screen = try survey(try root.client.endpoints())
            screen.lines(root.client.output).forEach(Console.print)
            code = screen.health.verdict.exitCode
        }
        if code != 0 { throw ExitCode(code) }
    }

    private func survey(_ endpoints: [Endpoint]) throws -> StatusScreen {
        let deadline = Deadline.in(Self.electionPatience)
        while true {
            let reports = NodeReport.withPeers(NodeReport.survey(endpoints))
            _ = try NodeReport.requireOneCluster(reports)
            let health = ClusterHealth(reports)
            let mayElect = reports.count { $0.status != nil } > health.voters.count / 2
            guard health.verdict == .noMajority, mayElect, !deadline.hasPassed else {
                return StatusScreen(reports: reports, health: health)
            }
            pause(.milliseconds(200))
        }
    }
}
