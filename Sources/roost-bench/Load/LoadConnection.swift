import Foundation

/// One operation that was sent and not answered yet.
struct Slot {
    enum Kind: UInt8 {
        case read
        case update
        case insert
        /// The first and the second half of a read-modify-write.
        case modifyRead
        case modifyWrite
    }

    var kind: Kind
    var key: UInt64
    /// The moment from which its latency counts; nanoseconds.
    var begun: UInt64
}

/// A socket of the load generator with what is under way on it. All memory is taken at the start; lives in an array that
/// belongs to one thread.
struct LoadConnection {
    let socket: Int32
    var matcher = ReplyMatcher()
    /// A ring: replies come in the order of the commands.
    private let slots: UnsafeMutablePointer<Slot>
    private let capacity: Int
    private var head = 0
    private(set) var inFlight = 0
    /// Bytes that the socket did not take.
    private var pending: UnsafeMutableRawPointer?
    private var pendingStart = 0
    private var pendingEnd = 0
    private let pendingCapacity: Int
    private(set) var isBroken = false

    init(to address: LoopbackAddress, pipeline: Int, commandBytes: Int) throws {
        socket = try Self.connect(address)
        capacity = pipeline
        slots = .allocate(capacity: pipeline)
        pendingCapacity = pipeline * commandBytes
    }

    func release() {
        slots.deallocate()
        pending?.deallocate()
        close(socket)
    }

    var hasRoom: Bool { inFlight < capacity && !isBroken }
    var hasPending: Bool { pendingStart < pendingEnd }

    mutating func push(_ slot: Slot) {
        precondition(inFlight < capacity)
        slots[(head + inFlight) % capacity] = slot
        inFlight += 1
    }

    mutating func pop() -> Slot? {
        guard inFlight > 0 else { return nil }
        let slot = slots[head]
        head = (head + 1) % capacity
        inFlight -= 1
        return slot
    }

    mutating func markBroken() { isBroken = true }

    /// Sends bytes, or keeps those that the socket does not take, behind what is kept already.
    mutating func send(_ bytes: UnsafeRawPointer, _ count: Int) {
        var sent = 0
        if !hasPending {
            let result = Glibc.send(socket, bytes, count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if result < 0, errno != EAGAIN, errno != EINTR { isBroken = true }
            sent = max(0, result)
        }
        guard sent < count, !isBroken else { return }
        keep(bytes + sent, count - sent)
    }

    mutating func sendPending() {
        guard let pending, hasPending else { return }
        let result = Glibc.send(
            socket, pending + pendingStart, pendingEnd - pendingStart,
            Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if result > 0 { pendingStart += result } else if errno != EAGAIN, errno != EINTR { isBroken = true }
    }

    private mutating func keep(_ bytes: UnsafeRawPointer, _ count: Int) {
        let buffer = pending ?? .allocate(byteCount: pendingCapacity, alignment: 8)
        pending = buffer
        if pendingStart > 0 {
            memmove(buffer, buffer + pendingStart, pendingEnd - pendingStart)
            (pendingStart, pendingEnd) = (0, pendingEnd - pendingStart)
        }
        precondition(pendingEnd + count <= pendingCapacity, "more commands under way than the pipeline allows")
        (buffer + pendingEnd).copyMemory(from: bytes, byteCount: count)
        pendingEnd += count
    }

    /// - Returns: the number of bytes, nil when there are none now. The end of the stream breaks the connection.
    mutating func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let count = recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 { return count }
        if count == 0 || (errno != EAGAIN && errno != EINTR) { isBroken = true }
        return nil
    }

    private static func connect(_ address: LoopbackAddress) throws -> Int32 {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = address.port.bigEndian
        guard inet_pton(AF_INET, address.host, &place.sin_addr) == 1 else {
            throw BenchError("not an IPv4 address: \(address.host)")
        }
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw BenchError("cannot connect to \(address): \(reason)")
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }
}
