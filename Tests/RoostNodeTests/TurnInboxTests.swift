import Raft
import Synchronization
import Testing

@testable import RoostNode

@Suite("TurnInbox: whoever brings something may take the turn")
struct TurnInboxTests {
    @Test(.timeLimit(.minutes(1))) func `the caller takes the turn while the thread sleeps`() {
        let driver = CountingDriver()
        let inbox = TurnInbox<CountingDriver>()
        let thread = start(inbox, driver)
        var number = 0
        // Not the first time if the thread is still at its own first turn.
        while driver.foreignTurnCount == 0 {
            number += 1
            inbox.bring(.number(producer: 0, number))
        }
        #expect(driver.seen.withLock { $0[0] } == number, "the turn is over when `bring` returns")
        inbox.push(.stop)
        thread.join()
        #expect(driver.didEnd)
        #expect(driver.disorderCount == 0)
    }

    @Test(.timeLimit(.minutes(1))) func `a turn that others may not take is the thread's`() {
        let driver = CountingDriver(isClosed: true)
        let inbox = TurnInbox<CountingDriver>()
        let thread = start(inbox, driver)
        for number in 1...1000 { inbox.bring(.number(producer: 0, number)) }
        inbox.bring(.stop)
        thread.join()
        #expect(driver.seen.withLock { $0[0] } == 1000)
        #expect(driver.foreignTurnCount == 0)
    }

    @Test(.timeLimit(.minutes(1))) func `who may wait may take a turn that others may not`() {
        let driver = CountingDriver(isClosed: true, opensForWaiting: true)
        let inbox = TurnInbox<CountingDriver>()
        let thread = start(inbox, driver)
        var number = 0
        while driver.foreignTurnCount == 0 {
            number += 1
            inbox.bring(.number(producer: 0, number), .brief)
        }
        #expect(driver.seen.withLock { $0[0] } == number)
        inbox.bring(.stop)
        thread.join()
    }

    @Test(.timeLimit(.minutes(1))) func `a deadline that a caller's turn has brought forward is kept by the thread`() {
        let driver = CountingDriver()
        let inbox = TurnInbox<CountingDriver>()
        let thread = start(inbox, driver)
        // The thread sleeps for an hour; this turn asks for the next one at once, and that one stops.
        inbox.bring(.stopInNextTurn)
        thread.join()
        #expect(driver.didEnd)
    }

    @Test(.timeLimit(.minutes(5))) func `turns exclude each other, and every producer's events come in order`() {
        let producers = 4
        let count = 20_000
        let driver = CountingDriver()
        let inbox = TurnInbox<CountingDriver>()
        let thread = start(inbox, driver)
        let threads = (0..<producers).map { producer in
            WorkerThread(name: "producer-\(producer)") {
                for number in 1...count { inbox.bring(.number(producer: producer, number)) }
            }
        }
        for thread in threads { thread.join() }
        inbox.push(.stop)
        thread.join()
        #expect(driver.seen.withLock { $0 } == [Int](repeating: count, count: producers))
        #expect(driver.disorderCount == 0)
        #expect(driver.overlapCount == 0)
    }

    private func start(_ inbox: TurnInbox<CountingDriver>, _ driver: CountingDriver) -> WorkerThread {
        WorkerThread(name: "turn-test") { inbox.run(driver) }
    }
}

/// Counts what comes, and whether it comes as promised.
private final class CountingDriver: TurnDriver, Sendable {
    enum Event: Sendable {
        case number(producer: Int, Int)
        case stop
        case stopInNextTurn
    }

    /// By producer: the last number that came.
    let seen = Mutex([Int](repeating: 0, count: 4))
    private let foreignTurns = Atomic<Int>(0)
    private let disorder = Atomic<Int>(0)
    private let overlaps = Atomic<Int>(0)
    private let hasEnded = Atomic<Bool>(false)
    private let isInside = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let stopsNext = Atomic<Bool>(false)
    private let isClosed: Bool
    private let opensForWaiting: Bool

    init(isClosed: Bool = false, opensForWaiting: Bool = false) {
        self.isClosed = isClosed
        self.opensForWaiting = opensForWaiting
    }

    var foreignTurnCount: Int { foreignTurns.load(ordering: .relaxed) }
    var disorderCount: Int { disorder.load(ordering: .relaxed) }
    var overlapCount: Int { overlaps.load(ordering: .relaxed) }
    var didEnd: Bool { hasEnded.load(ordering: .relaxed) }

    var isOver: Bool { isStopped.load(ordering: .relaxed) }

    func admitsTurn(_ patience: TurnPatience) -> Bool {
        guard !isOver, !isClosed || opensForWaiting && patience > .none else { return false }
        foreignTurns.wrappingAdd(1, ordering: .relaxed)
        return true
    }

    func turn(_ events: [Event], _ patience: TurnPatience) -> MonotonicTime {
        if isInside.exchange(true, ordering: .relaxed) { overlaps.wrappingAdd(1, ordering: .relaxed) }
        if stopsNext.load(ordering: .relaxed) { isStopped.store(true, ordering: .relaxed) }
        for event in events { take(event) }
        isInside.store(false, ordering: .relaxed)
        let now = SystemClock.monotonic()
        return stopsNext.load(ordering: .relaxed) ? now : now.advanced(by: .seconds(3600))
    }

    private func take(_ event: Event) {
        switch event {
        case .number(let producer, let number):
            let before = seen.withLock { seen in
                defer { seen[producer] = number }
                return seen[producer]
            }
            if before != number - 1 { disorder.wrappingAdd(1, ordering: .relaxed) }
        case .stop: isStopped.store(true, ordering: .relaxed)
        case .stopInNextTurn: stopsNext.store(true, ordering: .relaxed)
        }
    }

    func end() { hasEnded.store(true, ordering: .relaxed) }
}
