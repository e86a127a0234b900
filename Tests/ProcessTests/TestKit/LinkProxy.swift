import Foundation
import Synchronization

/// A port of loopback that stands for one direction of dialling between two nodes: what one of them sends to it reaches
/// the other, unless a test says otherwise.
///
/// Cutting ends connections as a router's reset does; blocking lets them stand and passes nothing, as a lost cable does.
final class LinkProxy: Sendable {
    let port: UInt16
    private let target: UInt16
    private let listener: ListeningSocket
    private let blocked = Atomic(false)
    private let closed = Atomic(false)
    private let connections = Mutex<[ProxiedConnection]>([])
    /// How soon a blocked or closed proxy is noticed.
    private static let patience = Duration.milliseconds(10)

    init(to target: UInt16, _ sandbox: Sandbox) throws {
        self.target = target
        port = try FreePorts.next()
        listener = try ListeningSocket(port: port)
        sandbox.onClose { [self] in
            closed.store(true, ordering: .releasing)
            cut()
        }
        Thread.detachNewThread { [self] in acceptUntilClosed() }
    }

    /// Ends every connection that stands now.
    func cut() {
        for connection in connections.withLock({ $0 }) { connection.end() }
    }

    /// From now on nothing passes, in either direction, until `heal`.
    func block() { blocked.store(true, ordering: .releasing) }

    /// What was sent while it was blocked arrives now.
    func heal() { blocked.store(false, ordering: .releasing) }

    private var isClosed: Bool { closed.load(ordering: .acquiring) }

    private func acceptUntilClosed() {
        while !isClosed {
            guard let client = listener.accept(within: Self.patience) else { continue }
            guard let server = try? ClientSocket(port: target, timeout: .seconds(10)) else { continue }
            let connection = ProxiedConnection(client, server)
            connections.withLock { connections in
                connections.removeAll(where: \.hasEnded)
                connections.append(connection)
            }
            for (from, to) in [(client.descriptor, server.descriptor), (server.descriptor, client.descriptor)] {
                Thread.detachNewThread { [self] in
                    while !connection.hasEnded, !isClosed { pump(connection, from, to) }
                    connection.end()
                }
            }
        }
        listener.close()
    }

    private func pump(_ connection: ProxiedConnection, _ from: Int32, _ to: Int32) {
        if blocked.load(ordering: .acquiring) { return pause(Self.patience) }
        var readable = pollfd(fd: from, events: Int16(POLLIN), revents: 0)
        guard poll(&readable, 1, 10) > 0 else { return }
        // It may have been blocked while this waited.
        if blocked.load(ordering: .acquiring) { return }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(from, &bytes, bytes.count, 0)
        guard count > 0 else { return connection.end() }
        var sent = 0
        while sent < count {
            let part = bytes.withUnsafeBytes { send(to, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL)) }
            guard part > 0 else { return connection.end() }
            sent += part
        }
    }
}

/// The two halves of a connection through a proxy.
///
/// Unchecked: each descriptor is read by one thread and written by another, which the kernel allows; they are closed
/// when the last of the threads has let go.
private final class ProxiedConnection: @unchecked Sendable {
    private let client: ClientSocket
    private let server: ClientSocket
    private let ended = Atomic(false)

    init(_ client: ClientSocket, _ server: ClientSocket) { (self.client, self.server) = (client, server) }

    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    func end() {
        guard !ended.exchange(true, ordering: .acquiringAndReleasing) else { return }
        for socket in [client, server] { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }
    }
}
