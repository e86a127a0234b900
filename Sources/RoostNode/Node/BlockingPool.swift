import Raft

/// A few threads for reads that may wait for the disk: cold keys of clients, and log entries for followers that lag.
final class BlockingPool: Sendable {
    private enum Work: Sendable {
        case run(@Sendable () -> Void)
        case stop
    }

    /// One queue a thread, filled in turn: what is slow delays only what stands behind it.
    private let inboxes: [Inbox<Work>]
    private let threads: [WorkerThread]
    private let next = RoundRobin()
    private let isStopping: Signal

    /// - Parameter name: at most 13 bytes.
    init(threads count: Int, name: String = "roost-read") {
        let inboxes = (0..<count).map { _ in Inbox<Work>() }
        self.inboxes = inboxes
        let isStopping = Signal()
        self.isStopping = isStopping
        threads = inboxes.enumerated().map { number, inbox in
            WorkerThread(name: "\(name)-\(number)") {
                var work: [Work] = []
                while true {
                    work.removeAll(keepingCapacity: true)
                    inbox.drain(into: &work, until: .never)
                    for item in work {
                        guard case .run(let body) = item, !isStopping.isRaised else { return }
                        body()
                    }
                }
            }
        }
    }

    func run(_ body: @escaping @Sendable () -> Void) {
        inboxes[next.turn(of: inboxes.count)].push(.run(body))
    }

    /// Finishes what is under way, forgets what is queued, and ends the threads.
    func stop() {
        isStopping.raise()
        for inbox in inboxes { inbox.push(.stop) }
        for thread in threads { thread.join() }
    }
}
