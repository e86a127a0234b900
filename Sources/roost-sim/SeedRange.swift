import ArgumentParser
import Glibc
import Simulator
import Synchronization

/// Many seeds, in as many threads as wanted. Each world is one thread's alone.
struct SeedRange {
    let plan: SeedPlan
    let output: OutputOptions
    let jobs: Int
    let stopsAtFailure: Bool

    /// Failures that are told in full; of the others only a line.
    private static let maxReported = 5

    private struct Progress: Sendable {
        var next = 0
        var summary = Summary()
        var isStopping = false
        var lastLine = 0.0
    }

    func run() throws {
        let watch = Stopwatch()
        let progress = Mutex(Progress())
        inThreads(min(jobs, plan.seeds.count)) { work(progress, watch) }
        let summary = progress.withLock { $0.summary }
        try finish(summary, after: watch.seconds)
    }

    private func work(_ progress: borrowing Mutex<Progress>, _ watch: Stopwatch) {
        while true {
            let place = progress.withLock { progress -> Int? in
                guard progress.next < plan.seeds.count, !progress.isStopping else { return nil }
                defer { progress.next += 1 }
                return progress.next
            }
            guard let place else { return }
            let report = Simulation.run(plan.options(of: plan.seeds[place]))
            progress.withLock { note(report, &$0, watch.seconds) }
        }
    }

    private func note(_ report: Simulation.Report, _ progress: inout Progress, _ seconds: Double) {
        progress.summary.add(report)
        if output.hash { print("seed \(report.options.seed) hash \(hexadecimal(report.traceHash))") }
        if let violation = report.violation {
            print("seed \(report.options.seed) FAILED \(violation)")
            if stopsAtFailure { progress.isStopping = true }
        }
        guard !output.quiet, seconds - progress.lastLine >= 5 else { return }
        progress.lastLine = seconds
        print(
            """
            \(progress.summary.seeds) of \(plan.seeds.count) seeds, \(progress.summary.failures.count) failed, \
            \(decimal(Double(progress.summary.events) / seconds, 0)) events/s
            """)
        fflush(nil)
    }

    private func finish(_ summary: Summary, after seconds: Double) throws {
        let failures = summary.failures.sorted { $0.options.seed < $1.options.seed }
        for (place, failure) in failures.prefix(output.quiet ? 1 : Self.maxReported).enumerated() {
            let report = FailureReport(report: failure, limits: plan.limits)
            report.print(lines: !output.quiet)
            if output.shrink, place == 0 { report.shrunk().print(lines: true) }
        }
        if !output.quiet {
            print(summary.coverage)
            print(summary.figures(after: seconds))
        }
        let missing = summary.marks.missing
        if output.requireCoverage, !missing.isEmpty {
            print("never reached: \(missing.map(\.rawValue).joined(separator: ", "))")
        }
        let isTooMuchUndecided = summary.undecided > output.maxUndecided ?? .max
        if isTooMuchUndecided { print("\(summary.undecided) keys are UNDECIDED") }
        print(summary.result)
        if !failures.isEmpty { throw ExitCode(1) }
        if output.requireCoverage, !missing.isEmpty { throw ExitCode(2) }
        if isTooMuchUndecided { throw ExitCode(3) }
    }

    /// Runs `body` in `count` threads and waits for all. Runs are long and never wait: the pool of Swift's tasks is not
    /// for them.
    private func inThreads(_ count: Int, _ body: () -> Void) {
        if count == 1 { return body() }
        withoutActuallyEscaping(body) { body in
            var threads: [pthread_t] = []
            for _ in 0..<count {
                var attributes = pthread_attr_t()
                pthread_attr_init(&attributes)
                pthread_attr_setstacksize(&attributes, 8 << 20)
                var thread = pthread_t()
                let context = Unmanaged.passRetained(ThreadBody(body))
                let error = pthread_create(&thread, &attributes, threadMain, context.toOpaque())
                precondition(error == 0, "no thread: error \(error)")
                threads.append(thread)
            }
            for thread in threads { pthread_join(thread, nil) }
        }
    }
}

/// What a thread does, on its way into it.
private final class ThreadBody {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

private let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
    guard let context else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
