import Glibc
import Raft

/// What takes turns: state that is changed by events and by the time, a turn at a time.
protocol TurnDriver: AnyObject {
    associatedtype Event: Sendable
    /// Nothing is taken any more.
    var isOver: Bool { get }
    /// Whether a thread other than its own may take the next turn.
    func admitsTurn(_ patience: TurnPatience) -> Bool
    /// Takes events in order, perhaps none, and does what follows from them and from the time.
    ///
    /// - Returns: when the next turn is due, whatever comes.
    func turn(_ events: [Event], _ patience: TurnPatience) -> MonotonicTime
    /// The last call.
    func end()
}

/// The events for a driver, and the right to take its turns.
///
/// Whoever brings something takes a turn himself if nobody else is at it: handing it to the driver's thread would take
/// longer than the turn. The thread takes the turns that others came too late for or may not take, and those that the
/// clock demands. So a quiet driver costs no hand-over, and under load the thread takes whatever has gathered.
///
/// Order: events are taken in the order in which they were brought, since they are only ever taken out of the queue by
/// whoever holds the turn.
///
/// `@unchecked Sendable`: `driver`, `batch` and `sleepsUntil` are guarded by `turn`.
final class TurnInbox<Driver: TurnDriver>: @unchecked Sendable {
    private let events = Inbox<Driver.Event>()
    private let turn: UnsafeMutablePointer<pthread_mutex_t>
    /// Set while the thread runs.
    private var driver: Driver?
    private var batch: [Driver.Event] = []
    /// When the thread looks again by itself.
    private var sleepsUntil = MonotonicTime.never

    init() {
        turn = .allocate(capacity: 1)
        precondition(pthread_mutex_init(turn, nil) == 0)
    }

    deinit {
        pthread_mutex_destroy(turn)
        turn.deallocate()
    }

    // MARK: - Any thread

    /// Leaves it to the thread.
    func push(_ event: Driver.Event) { events.push(event) }

    /// Takes the turn on the calling thread if that is possible, else leaves it to the thread.
    ///
    /// - Parameter patience: the caller's.
    func bring(_ event: Driver.Event, _ patience: TurnPatience = .none) {
        events.add(event)
        if !takeTurn(patience) { events.signal() }
    }

    /// False: somebody else is at it, maybe past the point at which events are taken, or the caller may not.
    private func takeTurn(_ patience: TurnPatience) -> Bool {
        guard pthread_mutex_trylock(turn) == 0 else { return false }
        defer { pthread_mutex_unlock(turn) }
        guard let driver, driver.admitsTurn(patience) else { return false }
        takeEvents()
        guard !batch.isEmpty else { return true }
        let next = driver.turn(batch, patience)
        if next < sleepsUntil || driver.isOver {
            sleepsUntil = next
            events.wake()
        }
        return true
    }

    private func takeEvents() {
        batch.removeAll(keepingCapacity: true)
        events.take(into: &batch)
    }

    // MARK: - The thread

    /// The body of the thread: takes a turn at once, and returns when the driver is over.
    func run(_ driver: Driver) {
        var next = withTurn { () -> MonotonicTime? in
            self.driver = driver
            return threadTurn(driver)
        }
        while let deadline = next {
            events.wait(until: deadline)
            next = withTurn { threadTurn(driver) }
        }
        withTurn {
            self.driver = nil
            driver.end()
        }
    }

    /// Nil: the end.
    private func threadTurn(_ driver: Driver) -> MonotonicTime? {
        if driver.isOver { return nil }
        takeEvents()
        if !batch.isEmpty || sleepsUntil == .never || SystemClock.monotonic() >= sleepsUntil {
            sleepsUntil = driver.turn(batch, .unlimited)
        }
        return driver.isOver ? nil : sleepsUntil
    }

    private func withTurn<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(turn)
        defer { pthread_mutex_unlock(turn) }
        return body()
    }
}
