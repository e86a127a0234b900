import ArgumentParser
import Glibc
import Simulator

/// One seed, told in as much detail as wanted.
struct SingleRun {
    let plan: SeedPlan
    let output: OutputOptions

    func run() throws {
        let options = plan.options(of: plan.seeds[0])
        if !output.quiet { print("seed \(options.seed): \(options)") }
        let watch = Stopwatch()
        let file = try output.trace.map(TraceFile.init)
        let report = Simulation.run(
            options, listener: output.verbose ? { print($0) } : nil, trace: file.map { file in { file.write($0) } })
        try file?.close()
        if output.hash { print("hash \(hexadecimal(report.traceHash))") }
        var summary = Summary()
        summary.add(report)
        if !output.quiet { print(summary.figures(after: watch.seconds)) }
        if report.violation != nil {
            let failure = FailureReport(report: report, limits: plan.limits)
            failure.print(lines: !output.verbose)
            if output.shrink { failure.shrunk().print(lines: true) }
        }
        print(summary.result)
        if report.violation != nil { throw ExitCode(1) }
    }
}

/// The file of a run's trace.
private final class TraceFile {
    private let file: UnsafeMutablePointer<FILE>
    private let path: String

    init(_ path: String) throws {
        guard let file = fopen(path, "w") else { throw ValidationError("cannot write \(path)") }
        self.file = file
        self.path = path
    }

    func write(_ line: String) {
        fputs(line, file)
        fputc(10, file)
    }

    /// - Throws: when not all of it could be written.
    func close() throws {
        let hadError = ferror(file) != 0
        if fclose(file) != 0 || hadError { throw ValidationError("\(path) was not written to its end") }
    }
}
