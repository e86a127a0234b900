import Foundation
import Synchronization

/// Clients of a server that speaks the Redis protocol: a few threads of this process, each with many connections.
enum LoadGenerator {
    /// One thread makes more than the servers of a small machine can take; each more is a processor that they lack.
    static var usualThreads: Int { max(1, ProcessInfo.processInfo.activeProcessorCount / 4) }

    /// Runs a plan to its end.
    ///
    /// - Parameter during: called on this thread while the load runs, with the beginning and the end of the time that is
    ///   counted; nanoseconds of the monotonic clock.
    /// - Throws: `BenchError` if no connection can be made.
    static func run(_ plan: LoadPlan, during: (UInt64, UInt64) -> Void = { _, _ in }) throws -> LoadTally {
        var plan = plan
        plan.threads = max(1, min(plan.threads, plan.workload.connections))
        Interruption.checkpoint()
        OpenFiles.raiseLimit()
        let threads = plan.threads
        let start = Mutex<UInt64?>(nil)
        let ready = DispatchSemaphore(value: 0)
        let go = DispatchSemaphore(value: 0)
        let finished = DispatchSemaphore(value: 0)
        let results = Mutex<[Result<LoadTally, BenchError>]>([])
        let settled = plan
        for thread in 0..<threads {
            let share = plan.workload.connections / threads + (thread < plan.workload.connections % threads ? 1 : 0)
            Thread.detachNewThread {
                var hasReported = false
                let result: Result<LoadTally, BenchError>
                do {
                    var load = try LoadThread(settled, thread: thread, connections: share)
                    ready.signal()
                    hasReported = true
                    go.wait()
                    result = .success(try load.run(from: start.withLock { $0 } ?? monotonicNow(), thread: thread))
                } catch {
                    result = .failure(error as? BenchError ?? BenchError("\(error)"))
                }
                results.withLock { $0.append(result) }
                if !hasReported {
                    ready.signal()
                    go.wait()
                }
                finished.signal()
            }
        }
        for _ in 0..<threads { ready.wait() }
        let beginning = monotonicNow() + 1_000_000
        start.withLock { $0 = beginning }
        for _ in 0..<threads { go.signal() }
        let countedFrom = beginning + plan.warmup.nanoseconds
        during(countedFrom, countedFrom + plan.time.nanoseconds)
        for _ in 0..<threads { finished.wait() }
        var tally = LoadTally()
        for result in results.withLock({ $0 }) { tally.add(try result.get()) }
        return tally
    }

    /// Writes every key once.
    ///
    /// - Throws: `BenchError` with the first failure: figures over a store with holes would mean nothing.
    static func fill(_ address: LoopbackAddress, records: Int, valueBytes: Int) throws {
        let pipeline = valueBytes > 4096 ? 4 : 32
        let plan = LoadPlan(
            address: address, workload: Workload(.fill, valueBytes: valueBytes, connections: 16, pipeline: pipeline),
            records: records, warmup: .zero, time: .seconds(3_600), threads: 1)
        let tally = try run(plan)
        guard tally.failureCount == 0, tally.operations == records else {
            throw BenchError("the keys could not be written: \(tally.failures), \(tally.operations) of \(records)")
        }
    }
}

/// Sleeps until then; nanoseconds of the monotonic clock.
func sleep(until moment: UInt64) {
    var time = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil) == EINTR {}
}
