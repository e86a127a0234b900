import Glibc
import Synchronization

/// What can end a conversation. `refused` alone proves that the other side saw nothing of it.
enum ConnectionError: Error, Equatable {
    case refused
    case closed
    case timedOut
    case malformed(String)
}

/// A blocking TCP connection to a port of loopback, on which every call has an end. Belongs to one thread at a time.
final class ClientSocket {
    private(set) var descriptor: Int32
    var timeout: Duration

    init(port: UInt16, timeout: Duration = .patience) throws {
        self.timeout = timeout
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        setLimit(timeout)
        disableDelay()
        guard withLoopback(port, { connect(descriptor, $0, $1) }) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            descriptor = -1
            if code == ECONNREFUSED { throw ConnectionError.refused }
            if code == EINPROGRESS || code == ETIMEDOUT { throw ConnectionError.timedOut }
            if code == ECONNRESET { throw ConnectionError.closed }
            throw SystemError("connect(\(port))", code: code)
        }
    }

    /// Takes over a connection that was accepted.
    init(accepted descriptor: Int32, timeout: Duration = .patience) {
        self.descriptor = descriptor
        self.timeout = timeout
        setLimit(timeout)
        disableDelay()
    }

    deinit { close() }

    /// - Throws: `.closed` or `.timedOut`: some of the bytes may have arrived.
    func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("send") }
            sent += count
        }
    }

    /// Gives the kernel what it takes without waiting, and says how much that was.
    func writeSome(_ bytes: ArraySlice<UInt8>) throws -> Int {
        let count = bytes.withUnsafeBytes {
            send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return 0 }
        guard count >= 0 else { throw Self.failure("send") }
        return count
    }

    /// What has arrived, waiting for the first byte; empty at the orderly end.
    func read(atMost limit: Int = 64 << 10) throws -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var received: Int
            repeat { received = recv(descriptor, buffer.baseAddress, limit, 0) } while received < 0 && errno == EINTR
            failed = received < 0
            count = max(received, 0)
        }
        if failed { throw Self.failure("recv") }
        return bytes
    }

    /// Everything up to the end of the connection, however it ends.
    ///
    /// - Throws: `.timedOut` if it does not end within `limit`.
    func readToEnd(within limit: Duration = .patience) throws -> [UInt8] {
        let deadline = ContinuousClock.now + limit
        var all: [UInt8] = []
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw ConnectionError.timedOut }
            setLimit(left)
            do {
                let chunk = try read()
                if chunk.isEmpty { return all }
                all += chunk
            } catch ConnectionError.closed {
                return all
            }
        }
    }

    /// Ends our direction only.
    func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset instead of an orderly end.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private func disableDelay() {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    func setLimit(_ limit: Duration) {
        let parts = limit.components
        var time = timeval(tv_sec: Int(parts.seconds), tv_usec: Int(parts.attoseconds / 1_000_000_000_000))
        if time.tv_sec == 0 && time.tv_usec == 0 { time.tv_usec = 1 }
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private static func failure(_ call: String) -> any Error {
        switch errno {
        case EAGAIN: ConnectionError.timedOut
        case ECONNRESET, EPIPE, ENOTCONN, EBADF: ConnectionError.closed
        default: SystemError(call)
        }
    }
}

/// Occupies a port of loopback.
final class ListeningSocket: Sendable {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard withLoopback(port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 else {
            let error = SystemError("listen(\(port))")
            Glibc.close(descriptor)
            throw error
        }
    }

    /// The next connection; `nil` if none comes in time.
    func accept(within limit: Duration) -> ClientSocket? {
        var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&readable, 1, Int32(limit / .milliseconds(1))) > 0 else { return nil }
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        return ClientSocket(accepted: accepted)
    }

    func close() { Glibc.close(descriptor) }
}

private func withLoopback<R>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}

/// Many connections need many descriptors: raises the soft limit of this process to `count` or fails.
func allowDescriptors(_ count: UInt) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    guard limit.rlim_cur < count else { return }
    guard limit.rlim_max >= count else { throw TestFailure("RLIMIT_NOFILE is \(limit.rlim_max), \(count) needed") }
    limit.rlim_cur = count
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { throw SystemError("setrlimit") }
}
