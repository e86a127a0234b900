import Glibc

/// What went wrong on a link to a node.
enum LinkFailure: Error, Hashable, CustomStringConvertible {
    case unresolvable(host: String, reason: String)
    case refused
    case timedOut(waitingFor: String)
    case closedByPeer
    case system(call: String, error: Int32)
    case malformedReply(String)

    var description: String {
        switch self {
        case .unresolvable(let host, let reason): "cannot resolve \(host): \(reason)"
        case .refused: "connection refused"
        case .timedOut(let what): "no \(what) in time"
        case .closedByPeer: "connection closed by the node"
        case .system(let call, let error): "\(call): \(String(cString: strerror(error)))"
        case .malformedReply(let reason): "not a Redis reply: \(reason)"
        }
    }
}

/// One TCP connection, blocking up to a deadline in each call; closed when it goes out of scope.
struct Socket: ~Copyable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Connects to the first address of the host that answers.
    static func connect(to endpoint: Endpoint, deadline: Deadline) throws(LinkFailure) -> Socket {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        guard code == 0 else {
            throw .unresolvable(host: endpoint.host, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(list) }
        var failure = LinkFailure.unresolvable(host: endpoint.host, reason: "no address")
        var next = list
        while let address = next {
            do throws(LinkFailure) { return try connect(to: address.pointee, deadline) } catch { failure = error }
            next = address.pointee.ai_next
        }
        throw failure
    }

    private static func connect(to address: addrinfo, _ deadline: Deadline) throws(LinkFailure) -> Socket {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.ai_family, type, 0)
        guard descriptor >= 0 else { throw .system(call: "socket", error: errno) }
        let socket = Socket(descriptor: descriptor)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { throw connectFailure(errno) }
            try socket.wait(for: POLLOUT, "connection", deadline)
            var error: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
            guard error == 0 else { throw connectFailure(error) }
        }
        return socket
    }

    private static func connectFailure(_ error: Int32) -> LinkFailure {
        error == ECONNREFUSED ? .refused : .system(call: "connect", error: error)
    }

    /// Whether nothing listens at the endpoint. Anything but a refusal counts as somebody being there.
    static func isRefused(by endpoint: Endpoint) -> Bool {
        do throws(LinkFailure) {
            _ = try connect(to: endpoint, deadline: .in(.seconds(1)))
            return false
        } catch {
            return error == .refused
        }
    }

    /// Sends as many of the bytes as it takes to be done or to fail.
    ///
    /// - Returns: how many bytes the kernel took, and why it took no more. A command of which a byte is missing cannot
    ///   have been executed.
    func send(_ bytes: [UInt8], deadline: Deadline) -> (sent: Int, failure: LinkFailure?) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                do throws(LinkFailure) { try wait(for: POLLOUT, "room to send", deadline) } catch {
                    return (sent, error)
                }
            } else if errno != EINTR {
                return (sent, .system(call: "send", error: errno))
            }
        }
        return (sent, nil)
    }

    /// The next bytes, at least one.
    func receive(deadline: Deadline) throws(LinkFailure) -> [UInt8] {
        while true {
            var received = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Self.receiveBytes) { buffer, count in
                received = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                count = max(received, 0)
            }
            if received > 0 { return bytes }
            if received == 0 { throw .closedByPeer }
            switch errno {
            case EAGAIN: try wait(for: POLLIN, "reply", deadline)
            case EINTR: continue
            case ECONNRESET: throw .closedByPeer
            default: throw .system(call: "recv", error: errno)
            }
        }
    }

    private static let receiveBytes = 64 << 10

    private func wait(for event: Int32, _ what: String, _ deadline: Deadline) throws(LinkFailure) {
        while true {
            var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let count = poll(&request, 1, deadline.remainingMilliseconds)
            if count > 0 { return }
            if count == 0 { throw .timedOut(waitingFor: what) }
            guard errno == EINTR else { throw .system(call: "poll", error: errno) }
        }
    }
}
