import ByteCoding
import NIOCore
import NIOPosix
import Raft

@testable import PeerTransport

/// Speaks to a transport without being one: a server that answers every hello with a welcome, and reads only when told to.
final class RawPeer: Sendable {
    let address: PeerAddress
    private let listener: any Channel
    private let accepted: Recorder<any Channel>
    private let stream: Recorder<Bytes>

    /// - Parameter answer: what is sent back when the first bytes come.
    static func start(answer: Bytes) async throws -> RawPeer {
        let accepted = Recorder<any Channel>()
        let stream = Recorder<Bytes>()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: 64 << 10)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(answer: answer, stream: stream))
                    accepted.append(channel)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return RawPeer(listener: listener, accepted: accepted, stream: stream)
    }

    private init(listener: any Channel, accepted: Recorder<any Channel>, stream: Recorder<Bytes>) {
        self.listener = listener
        self.accepted = accepted
        self.stream = stream
        address = PeerAddress(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
    }

    /// Stops or goes on taking bytes from the socket of the first connection.
    func setReading(_ isReading: Bool) async throws {
        let channel = try await accepted.first { _ in true }
        try await channel.setOption(.autoRead, value: isReading).get()
    }

    /// All bytes that came since the start, once they are more than `count`.
    func received(moreThan count: Int) async throws -> Bytes {
        let pieces = try await stream.wait { $0.reduce(0) { $0 + $1.count } > count }
        var writer = ByteWriter(reservingCapacity: count)
        for piece in pieces { writer.append(piece) }
        return writer.take()
    }

    func stop() async throws {
        try await listener.close()
        for channel in accepted.elements { try? await channel.close() }
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: Bytes
        private let stream: Recorder<Bytes>
        private var hasAnswered = false

        init(answer: Bytes, stream: Recorder<Bytes>) {
            self.answer = answer
            self.stream = stream
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            unwrapInboundIn(data).withUnsafeReadableBytes { stream.append(Bytes(copying: $0)) }
            guard !hasAnswered else { return }
            hasAnswered = true
            context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(answer)), promise: nil)
        }
    }
}
