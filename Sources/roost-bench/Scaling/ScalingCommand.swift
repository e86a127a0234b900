import ArgumentParser
import Foundation

/// How throughput bends with connections, value sizes, keys and time.
struct ScalingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scaling", abstract: "Measure Roost over connections, value sizes, keys and minutes.",
        discussion: """
            Curves of reads and writes, one point after the other, on a store that starts empty for each point. \
            sustained is one long run of writes over all keys, second by second, in which memtables are flushed and \
            tables compacted. etcd has one key in every figure, so it has no curve over keys, and no sustained run.
            """)

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case connections
        case values
        case keys
        case sustained
    }

    @Option(help: "connections, values, keys or sustained; default: all, in turn.") var part: [Part] = Part.allCases
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "roost-1, roost-3, redis or another subject; default: roost-1 and roost-3.", valueName: "subject,..."))
    var only: [CommaList<SubjectKind>] = []
    @Option(help: ArgumentHelp("Points of the axis, instead of the usual ones.", valueName: "number,..."))
    var points: CommaList<Int>?
    @Option(help: "Seconds of one point.") var seconds = 4.0
    @Option(help: ArgumentHelp("Length of the sustained run: 90s, 10m.", valueName: "time"))
    var time = TimeSpan(seconds: 600)
    @Option(help: "Keys of the sustained run.") var records = 1_000_000
    @Option(help: ArgumentHelp("Where the servers keep their data; must be on a disk.", valueName: "folder"))
    var directory = "/var/tmp"
    @Option(help: ArgumentHelp("The curves as JSON.", valueName: "file")) var json = "roost-scaling.json"
    @Option(help: ArgumentHelp("The curves as a page with pictures.", valueName: "file"))
    var html = "roost-scaling.html"
    @Option(help: ArgumentHelp("Where roostd lies; default: beside this program.", valueName: "folder"))
    var binaries: String?

    func validate() throws {
        guard (0.1...3_600).contains(seconds) else { throw ValidationError("--seconds: expected 0.1 to 3600") }
        guard (1_000...100_000_000).contains(records) else {
            throw ValidationError("--records: expected 1000 to 100000000")
        }
        for point in points?.values ?? [] where !(1...100_000_000).contains(point) {
            throw ValidationError("--points: expected numbers from 1 on")
        }
    }

    func run() throws {
        do {
            let workspace = try Workspace(in: directory)
            defer { workspace.remove() }
            Interruption.cleanUp(workspace)
            let roostd = Tool.roostd(in: binaries)
            let wanted: Set<SubjectKind> = only.isEmpty ? [.roost1, .roost3] : Set(only.flatMap(\.values))
            let subjects = Subjects(roostd: roostd, wanted: wanted)
            for sentence in subjects.missing { Progress.say(sentence) }
            guard !subjects.found.isEmpty else { throw BenchError("nothing to measure: no subject is installed") }
            let machine = Machine(directory: workspace.path, roostd: roostd)
            var curves: [Curve] = []
            print(machine.summary)
            for part in part {
                let curve = try measure(part, subjects.found, workspace)
                print("\n\(curve.table)")
                curves.append(curve)
                // What comes later may fail.
                try write(curves, machine)
            }
            if curves.contains(where: { !$0.missing.isEmpty }) { throw ExitCode(1) }
        } catch let error as BenchError {
            Progress.say("\(error)")
            throw ExitCode(1)
        }
    }

    private func write(_ curves: [Curve], _ machine: Machine) throws {
        try CurvePage.html(machine, curves).write(toFile: html, atomically: true, encoding: .utf8)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(curves).write(to: URL(fileURLWithPath: json))
        Progress.say("curves written to \(json) and \(html)")
    }

    private func measure(_ part: Part, _ subjects: [any Subject], _ workspace: Workspace) throws -> Curve {
        switch part {
        case .connections:
            try curve(
                "connections", "connections", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000], subjects, workspace
            ) {
                (Workload($1, connections: $0), Effort(seconds: seconds))
            }
        case .values:
            try curve("values", "bytes of a value", [100, 256, 1_024, 4_096, 16_384, 65_536], subjects, workspace) {
                (Workload($1, valueBytes: $0, connections: 64), Effort(seconds: seconds))
            }
        case .keys:
            try curve(
                "keys", "keys in the store", [1_000_000, 3_000_000, 10_000_000],
                subjects.filter { $0.kind.family != .etcd }, workspace
            ) {
                (Workload($1, connections: 64), Effort(records: $0, seconds: seconds))
            }
        case .sustained: try sustained(subjects, workspace)
        }
    }

    /// Writes and reads at each point. Reads come first where the number of keys is the axis: they fill the store.
    private func curve(
        _ name: String, _ axis: String, _ usual: [Int], _ subjects: [any Subject], _ workspace: Workspace,
        _ make: (Int, Traffic) -> (Workload, Effort)
    ) throws -> Curve {
        let places = points?.values ?? usual
        var curve = Curve(name: name, axis: axis, lines: [])
        var progress = Progress(total: subjects.count * places.count * 2)
        for subject in subjects {
            var lines = [Traffic.read, .write].map {
                Curve.Line(subject: subject.kind, traffic: $0, points: [])
            }
            for place in places {
                do {
                    try measure(subject, in: workspace, &lines, at: place, &progress, name) { make(place, $0) }
                } catch let error as BenchError {
                    // This place is missing then, and the reason said.
                    curve.missing.append("\(name) \(thousands(place)): \(subject.kind.title): \(error)")
                    Progress.say(curve.missing.last ?? "")
                }
            }
            curve.lines += lines.filter { !$0.points.isEmpty }
        }
        progress.end()
        return curve
    }

    /// One point for each line that the subject can be measured for.
    private func measure(
        _ subject: any Subject, in workspace: Workspace, _ lines: inout [Curve.Line], at place: Int,
        _ progress: inout Progress, _ name: String, _ make: (Traffic) -> (Workload, Effort)
    ) throws {
        try workspace.withFolder("scaling") { folder in
            let running = try subject.start(in: folder)
            defer { running.stop() }
            for index in lines.indices {
                let (workload, effort) = make(lines[index].traffic)
                progress.step("\(name) \(thousands(place)): \(lines[index].title)")
                guard subject.carries(workload) else { continue }
                let measurement = try running.measure(workload, effort)
                lines[index].points.append(Curve.Point(at: Double(place), measurement))
            }
        }
    }

    private func sustained(_ subjects: [any Subject], _ workspace: Workspace) throws -> Curve {
        var curve = Curve(name: "sustained", axis: "seconds", lines: [])
        let workload = Workload(.write, connections: 64, pipeline: 16)
        for subject in subjects where subject.carries(workload) {
            Progress.say("sustained writes for \(Int(time.seconds)) s: \(subject.kind.title)")
            try workspace.withFolder("scaling") { folder in
                let running = try subject.start(in: folder)
                defer { running.stop() }
                let measurement = try running.measure(
                    workload,
                    Effort(records: records, warmup: 0, seconds: time.seconds))
                let points = measurement.timeline.enumerated().map { second, count in
                    Curve.Point(at: Double(second), perSecond: Double(count))
                }
                curve.lines.append(
                    Curve.Line(subject: subject.kind, traffic: .write, points: points, whole: measurement))
            }
        }
        return curve
    }
}

extension TimeSpan {
    init(seconds: Double) { self.seconds = seconds }
}
