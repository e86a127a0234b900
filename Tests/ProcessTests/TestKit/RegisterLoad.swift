/// Clients on a few registers, whose history must be linearizable whatever happens to the cluster meanwhile.
final class RegisterLoad: Sendable {
    private let stopFlag = StopFlag()
    private let answers = Counter()
    private let clients: Workers<RegisterClient>

    /// - Parameter ports: of nodes that may come and go; each operation goes to one of them, by chance.
    init(ports: [UInt16], clients count: Int = 5) {
        let (stopFlag, answers, start) = (stopFlag, answers, ContinuousClock.now)
        clients = Workers(count) { number in
            var client = RegisterClient(ports: ports, number: number, start: start, answers: answers)
            client.run(until: stopFlag)
            return client
        }
    }

    /// Operations of known outcome so far.
    var answered: Int { answers.value }

    func stop() { stopFlag.raise() }

    /// Ends the clients and checks what they saw.
    ///
    /// - Parameter minimum: operations of known outcome; a shorter history proves nothing.
    func check(minimum: Int) {
        stop()
        expectLinearizable(clients.join(), minimum: minimum)
    }
}
