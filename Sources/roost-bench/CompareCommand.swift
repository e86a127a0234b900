import ArgumentParser
import Foundation

/// Measures Roost beside what it is compared with, in one run on one machine, each server in turn.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Measure Roost beside raw RocksDB, Redis and etcd: what is done when no form is named.",
        discussion: """
            Every round starts each server on an empty folder, measures it alone, and stops it; the figures are medians \
            of the rounds. The load comes from db_bench, redis-benchmark and h2load, on the same machine. A tool that \
            is not installed is named, and its rows are missing.

            The table goes to standard output, progress to standard error.
            """)

    @Flag(help: "Fewer requests and a time limit: under three minutes.") var quick = false
    @Flag(help: "Measure etcd too (needs etcd and h2load).") var withEtcd = false
    @Option(help: ArgumentHelp("Rounds of which the medians are taken.", valueName: "number"))
    var rounds = 3
    @Option(help: ArgumentHelp("Where the servers keep their data; must be on a disk.", valueName: "folder"))
    var directory = "/var/tmp"
    @Option(help: ArgumentHelp("The figures as JSON.", valueName: "file"))
    var json = "roost-bench.json"
    @Option(help: ArgumentHelp("Where roostd lies; default: beside this program.", valueName: "folder"))
    var binaries: String?

    func validate() throws {
        guard (1...99).contains(rounds) else { throw ValidationError("--rounds: expected 1 to 99") }
    }

    func run() throws {
        do {
            let workspace = try Workspace(in: directory)
            defer { workspace.remove() }
            Interruption.cleanUp(workspace)
            let report = try measure(workspace)
            print(report.table)
            try report.writeJSON(to: json)
            Progress.say("figures written to \(json)")
            if report.failures > 0 { throw ExitCode(1) }
        } catch let error as BenchError {
            Progress.say("\(error)")
            throw ExitCode(1)
        }
    }

    private func measure(_ workspace: Workspace) throws -> Report {
        let plan = quick ? Plan.quick : Plan.full
        let roostd = Tool.roostd(in: binaries)
        let (subjects, missing) = Subjects.available(roostd: roostd, withEtcd: withEtcd)
        for sentence in missing { Progress.say(sentence) }
        guard !subjects.isEmpty else { throw BenchError("nothing to measure: no tool is installed") }
        let machine = Machine(directory: workspace.path, roostd: roostd)
        var report = Report(machine: machine, plan: plan, missing: missing)
        let start = ContinuousClock.now
        for round in 1...rounds {
            // The first round is always finished: a table with holes compares nothing.
            if round > 1, ContinuousClock.now - start > plan.timeLimit * (round - 1) / round {
                report.missing.append("stopped after \(round - 1) of \(rounds) rounds: the time limit")
                break
            }
            for subject in subjects {
                Progress.say("round \(round) of \(rounds): \(subject.name)")
                report.add(subject.measure(plan, workspace))
            }
            report.rounds = round
        }
        return report
    }
}
