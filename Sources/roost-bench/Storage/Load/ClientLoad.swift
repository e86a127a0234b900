import Foundation
import Synchronization

/// Clients that keep one node busy with `SET`, each sending a pipeline at a time.
final class ClientLoad: Sendable {
    struct Shape: Sendable {
        /// Drawn from so many keys; or, with `isFill`, each of them once, in order.
        var keys: Int
        var valueBytes: Int
        var clients = 8
        var pipeline = 64
        var isFill = false
        /// So many writes, then the load ends; nil: until `stop`.
        var writes: Int?
    }

    private let isEnough = Atomic(false)
    private let acknowledgedCount = Atomic(0)
    private let refusedCount = Atomic(0)
    private let problem = Mutex<String?>(nil)
    private let finished = DispatchSemaphore(value: 0)
    private let shape: Shape

    init(port: UInt16, _ shape: Shape) {
        self.shape = shape
        for number in 0..<shape.clients {
            Thread.detachNewThread { [self] in
                do { try run(number, port) } catch { problem.withLock { $0 = $0 ?? "\(error)" } }
                finished.signal()
            }
        }
    }

    var acknowledged: Int { acknowledgedCount.load(ordering: .relaxed) }
    /// Answered with an error.
    var refused: Int { refusedCount.load(ordering: .relaxed) }

    /// What has ended a client before its time.
    var failure: BenchError? { problem.withLock(\.self).map { BenchError("a client of the load: \($0)") } }

    /// Waits for the end of a load that has one.
    func wait() throws {
        for _ in 0..<shape.clients { finished.wait() }
        if let failure { throw failure }
    }

    /// Ends the clients; one whose node is gone ends by itself.
    func stop() {
        isEnough.store(true, ordering: .releasing)
        for _ in 0..<shape.clients { finished.wait() }
    }

    private func run(_ number: Int, _ port: UInt16) throws {
        var material = Material(keys: shape.keys, valueBytes: shape.valueBytes, seed: UInt64(number) + 1)
        let socket = try LoadSocket(port: port)
        var request: [UInt8] = []
        let head = Array("*3\r\n$3\r\nSET\r\n$\(Material.keyBytes)\r\n".utf8)
        let middle = Array("\r\n$\(shape.valueBytes)\r\n".utf8)
        func append(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
            request += head
            request.append(contentsOf: key)
            request += middle
            request.append(contentsOf: value)
            request += [0x0D, 0x0A]
        }
        var next = number * shape.pipeline
        let end = shape.isFill ? shape.keys : shape.writes ?? .max
        while next < end, !isEnough.load(ordering: .acquiring) {
            let count = min(shape.pipeline, end - next)
            request.removeAll(keepingCapacity: true)
            for key in next..<next + count {
                if shape.isFill {
                    material.pair(key, append)
                } else {
                    material.next(append)
                }
            }
            try socket.send(request)
            let refused = try socket.receiveLines(count)
            acknowledgedCount.add(count - refused, ordering: .relaxed)
            if refused > 0 { refusedCount.add(refused, ordering: .relaxed) }
            next += shape.pipeline * shape.clients
        }
    }
}

/// A blocking connection to a node on loopback, for bytes.
final class LoadSocket {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// - Throws: `BenchError` if nobody listens.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard Port.withAddress(port, { connect(descriptor, $0, $1) }) == 0 else {
            throw BenchError("nobody listens on port \(port)")
        }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw BenchError("a connection broke") }
            sent += count
        }
    }

    /// Reads so many replies of one line each.
    ///
    /// - Returns: how many of them are errors.
    func receiveLines(_ count: Int) throws -> Int {
        var (lines, errors, isAtStart) = (0, 0, true)
        while lines < count {
            let received = recv(descriptor, &buffer, buffer.count, 0)
            guard received > 0 else { throw BenchError("a connection broke, or was silent for thirty seconds") }
            for byte in buffer[..<received] {
                if isAtStart, byte == UInt8(ascii: "-") { errors += 1 }
                isAtStart = byte == UInt8(ascii: "\n")
                if isAtStart { lines += 1 }
            }
        }
        return errors
    }
}
