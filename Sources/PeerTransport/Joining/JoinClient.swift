package import Logging
package import NIOCore
import NIOPosix

/// How a node without an id asks a cluster for one.
package enum JoinClient {
    /// Asks one member, over a connection of its own.
    ///
    /// - Parameter limits: `connectTimeout`, `handshakeTimeout` and `joinTimeout` count.
    /// - Returns: what the member said. A refusal of the connection itself (say, another version) is `.refused` too.
    package static func ask(
        _ address: PeerAddress, _ request: JoinRequest, limits: PeerTransportLimits = PeerTransportLimits(),
        group: any EventLoopGroup
    ) async throws(JoinError) -> JoinAnswer {
        let loop = group.next()
        let answer = loop.makePromise(of: JoinAnswer.self)
        let connected = ClientBootstrap(group: loop)
            .connectTimeout(.init(limits.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        JoinAskHandler(request: request, limits: limits, answer: answer))
                }
            }
            .connect(host: address.host, port: address.port)
        connected.whenFailure { answer.fail($0) }
        do {
            return try await answer.futureResult.get()
        } catch {
            throw JoinError(address: address, cause: ErrorText(error).text, mayTryAgain: true)
        }
    }

    /// Asks until a member accepts: the given members in turn, and the leader that one of them names.
    ///
    /// - Parameters:
    ///   - addresses: not empty; any members.
    ///   - timeout: of the whole; a question that is under way is not cut short.
    /// - Throws: the last error after the timeout, a refusal for good at once; also when the task is cancelled.
    package static func join(
        through addresses: [PeerAddress], _ request: JoinRequest, limits: PeerTransportLimits = PeerTransportLimits(),
        group: any EventLoopGroup, timeout: Duration, logger: Logger
    ) async throws(JoinError) -> JoinAcceptance {
        precondition(!addresses.isEmpty, "nobody to ask")
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: timeout)
        var backoff = Backoff(min: limits.reconnectMin, max: limits.reconnectMax)
        var next = 0
        var leader: PeerAddress?
        while true {
            let address = leader ?? addresses[next % addresses.count]
            let wasRedirected = leader != nil
            leader = nil
            let failure: JoinError
            do throws(JoinError) {
                switch try await ask(address, request, limits: limits, group: group) {
                case .accepted(let acceptance): return acceptance
                // A member that follows may not know the leader any more: from a redirection back to the given members.
                case .redirect(let other) where !wasRedirected:
                    leader = other
                    continue
                case .redirect:
                    failure = JoinError(address: address, cause: "it does not lead any more", mayTryAgain: true)
                case .refused(let sentence, let mayTryAgain):
                    failure = JoinError(address: address, cause: sentence, mayTryAgain: mayTryAgain)
                }
            } catch { failure = error }
            logger.info(
                "not joined yet", metadata: ["peer.address": "\(address)", "reason": "\(failure.cause)"])
            next += 1
            var random = SystemRandomNumberGenerator()
            let pause = backoff.next(using: &random)
            guard failure.mayTryAgain, clock.now.advanced(by: pause) < deadline else { throw failure }
            do { try await clock.sleep(for: pause) } catch { throw failure }
        }
    }
}

/// Why a node was not taken in. Scope: the question.
package struct JoinError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Who was asked.
    package var address: PeerAddress
    /// One sentence.
    package var cause: String
    /// Whether the same question may succeed later or elsewhere.
    package var mayTryAgain: Bool

    package init(address: PeerAddress, cause: String, mayTryAgain: Bool) {
        self.address = address
        self.cause = cause
        self.mayTryAgain = mayTryAgain
    }

    package var description: String { "cannot join through \(address): \(cause)" }
}
