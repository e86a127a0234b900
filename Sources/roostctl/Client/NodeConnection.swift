import RESP

/// A blocking RESP client for one node, used by one thread. Written here because no Redis client package resolves for
/// this toolchain without an event loop, which a command that sends one request does not need.
final class NodeConnection {
    /// A request that got no reply.
    struct RequestFailure: Error {
        var cause: LinkFailure
        /// False if bytes of the request were still unsent, so that the node cannot have executed it.
        var wasSent: Bool
    }

    let endpoint: Endpoint
    private let socket: Socket
    private var parser = ReplyParser()

    init(to endpoint: Endpoint, deadline: Deadline) throws(LinkFailure) {
        self.endpoint = endpoint
        socket = try Socket.connect(to: endpoint, deadline: deadline)
    }

    /// Sends one command and waits for its reply. After a failure the connection must not be used again: a late reply
    /// would be taken for that of the next command.
    func request(_ arguments: [String], deadline: Deadline) throws(RequestFailure) -> Reply {
        var sink = ByteArraySink()
        sink.writeRequest(arguments)
        let (sent, failure) = socket.send(sink.bytes, deadline: deadline)
        if let failure { throw RequestFailure(cause: failure, wasSent: sent == sink.bytes.count) }
        do throws(LinkFailure) { return try reply(deadline) } catch {
            throw RequestFailure(cause: error, wasSent: true)
        }
    }

    private func reply(_ deadline: Deadline) throws(LinkFailure) -> Reply {
        while true {
            do {
                if let reply = try parser.next() { return reply }
            } catch {
                throw .malformedReply("\(error)")
            }
            parser.append(try socket.receive(deadline: deadline))
        }
    }
}
