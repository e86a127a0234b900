import CEpoll
import Foundation

/// Tells which of many connections can be read or written. Belongs to one thread.
struct Epoll: ~Copyable {
    /// A connection's number, and what it is ready for.
    struct Event {
        var number: Int
        var canWrite: Bool
    }

    private static let capacity = 256
    private let descriptor: Int32
    private let events = UnsafeMutablePointer<cepoll_event>.allocate(capacity: Self.capacity)

    init() throws {
        descriptor = cepoll_create()
        guard descriptor >= 0 else { throw BenchError("epoll_create1: \(String(cString: strerror(errno)))") }
    }

    deinit {
        events.deallocate()
        close(descriptor)
    }

    func add(_ socket: Int32, number: Int) throws { try set(socket, number, writing: false, isNew: true) }

    func watch(_ socket: Int32, number: Int, writing: Bool) throws {
        try set(socket, number, writing: writing, isNew: false)
    }

    func remove(_ socket: Int32) { cepoll_remove(descriptor, socket) }

    /// Waits until something is ready or the time is over; nanoseconds, as a server's time is a fraction of what
    /// `epoll_wait` counts in.
    ///
    /// - Returns: the number of events, see `subscript`.
    func wait(nanoseconds: UInt64) -> Int {
        max(0, Int(cepoll_wait(descriptor, events, Int32(Self.capacity), nanoseconds)))
    }

    subscript(position: Int) -> Event {
        Event(number: Int(events[position].number), canWrite: events[position].can_write != 0)
    }

    private func set(_ socket: Int32, _ number: Int, writing: Bool, isNew: Bool) throws {
        guard cepoll_set(descriptor, socket, UInt64(number), writing ? 1 : 0, isNew ? 1 : 0) == 0 else {
            throw BenchError("epoll_ctl: \(String(cString: strerror(errno)))")
        }
    }
}
