import Glibc

extension Duration {
    /// How long a test waits for what must come. Only one that fails waits so long, on however busy a machine.
    static let patience: Duration = .seconds(60)
}

/// Blocks this thread.
func pause(_ duration: Duration) {
    let parts = duration.components
    var time = timespec(tv_sec: Int(parts.seconds), tv_nsec: Int(parts.attoseconds / 1_000_000_000))
    withUnsafeMutablePointer(to: &time) { while nanosleep($0, $0) != 0 && errno == EINTR {} }
}

/// Asks `body` again and again until it gives a value; an error it throws counts as "not yet".
///
/// - Throws: `TestFailure` with the last error once `limit` has passed. The limit is there to end a test that fails.
@discardableResult
func eventually<T>(
    _ what: String, within limit: Duration = .patience, every interval: Duration = .milliseconds(10),
    _ body: () throws -> T?
) throws -> T {
    let deadline = ContinuousClock.now + limit
    var last = "it never held"
    repeat {
        do {
            if let value = try body() { return value }
            last = "it never held"
        } catch {
            last = "\(error)"
        }
        pause(interval)
    } while ContinuousClock.now < deadline
    throw TestFailure("not within \(limit): \(what) (\(last))")
}

/// How long `body` took.
func timed<T>(_ body: () throws -> T) rethrows -> (result: T, time: Duration) {
    let start = ContinuousClock.now
    let result = try body()
    return (result, ContinuousClock.now - start)
}
