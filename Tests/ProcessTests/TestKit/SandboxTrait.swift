import Foundation
import Synchronization
import Testing

/// Gives each test a `Sandbox`, and a thread on which it may block.
///
/// The bodies wait for sockets and processes. On the cooperative pool of a two-core machine that would take half of
/// the threads away from every asynchronous test that runs beside them.
struct SandboxTrait: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let sandbox = try Sandbox()
        let noteFailures = IssueHandlingTrait.compactMapIssues { issue in
            if issue.isFailure { sandbox.markFailed() }
            return issue
        }
        do {
            try await noteFailures.provideScope(for: test, testCase: testCase) {
                try await Sandbox.$current.withValue(sandbox) {
                    try await withTaskExecutorPreference(BlockingThread.shared) { try await function() }
                }
            }
        } catch {
            sandbox.markFailed()
            sandbox.close()
            throw error
        }
        sandbox.close()
    }
}

extension Trait where Self == SandboxTrait {
    static var sandboxed: Self { Self() }
}

/// One thread that runs jobs in order, for as long as the process lives.
final class BlockingThread: TaskExecutor {
    static let shared = BlockingThread()

    private let jobs = Mutex<[UnownedJob]>([])
    private let available = DispatchSemaphore(value: 0)

    private init() {
        Thread.detachNewThread { [self] in
            while true {
                available.wait()
                jobs.withLock { $0.removeFirst() }.runSynchronously(on: asUnownedTaskExecutor())
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        available.signal()
    }
}
