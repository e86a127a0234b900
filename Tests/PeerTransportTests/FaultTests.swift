import NIOCore
import Raft
import Testing

@testable import PeerTransport

@Suite("Faults on purpose: rules, dice, gate")
struct FaultTests {
    @Test func `rules are kept for each peer and direction, and healed alone or all at once`() {
        var faults = NetworkFaults(seed: 5)
        #expect(faults.isEmpty)
        faults.change(NodeID(2), .both) { $0.isCut = true }
        faults.change(NodeID(3), .incoming) { $0.dropProbability = 0.5 }
        faults.change(NodeID(3), .incoming) { $0.delay = .milliseconds(5) }
        #expect(faults.peers == [NodeID(2), NodeID(3)])
        #expect(faults.rule(NodeID(2), .outgoing) == .init(isCut: true))
        #expect(faults.rule(NodeID(3), .incoming) == .init(dropProbability: 0.5, delay: .milliseconds(5)))
        #expect(faults.rule(NodeID(3), .outgoing) == .none)
        faults.heal(NodeID(2), .incoming)
        #expect(faults.rule(NodeID(2), .incoming) == .none)
        #expect(faults.rule(NodeID(2), .outgoing).isCut)
        faults.heal(NodeID(2))
        #expect(faults.peers == [NodeID(3)])
        faults.heal()
        #expect(faults == NetworkFaults(seed: 5))
        #expect(faults.isEmpty)
    }

    @Test func `a rule that is set back to nothing leaves nothing`() {
        var faults = NetworkFaults()
        faults.change(NodeID(2), .both) { $0.isCut = true }
        faults.change(NodeID(2), .both) { $0.isCut = false }
        #expect(faults.isEmpty)
    }

    private func board(_ direction: NetworkFaults.Direction, seed: UInt64 = 1, _ rule: NetworkFaults.Rule) -> FaultBoard
    {
        var faults = NetworkFaults(seed: seed)
        faults.change(NodeID(2), direction) { $0 = rule }
        let board = FaultBoard()
        board.set(faults)
        return board
    }

    private func fates(_ count: Int, seed: UInt64, _ rule: NetworkFaults.Rule) -> [FaultDice.Fate] {
        let board = board(.outgoing, seed: seed, rule)
        var dice = FaultDice(peer: NodeID(2), direction: .outgoing)
        return (0..<count).map { _ in dice.roll(board.law(NodeID(2), .outgoing)) }
    }

    @Test func `the same seed gives the same fates, another one others`() {
        let rule = NetworkFaults.Rule(dropProbability: 0.3, duplicateProbability: 0.3, jitter: .milliseconds(10))
        #expect(fates(200, seed: 9, rule) == fates(200, seed: 9, rule))
        #expect(fates(200, seed: 9, rule) != fates(200, seed: 10, rule))
    }

    /// Each dropped chunk ends its connection: the next one must not begin the same row of chances.
    @Test func `chances of chunks go on over connections, and begin again with new faults`() {
        let rule = NetworkFaults.Rule(dropProbability: 0.5)
        let board = board(.outgoing, rule)
        let row = (0..<100).map { _ in board.rollChunk(NodeID(2), .outgoing) }
        #expect(row == fates(100, seed: 1, rule))
        #expect((0..<100).map { _ in board.rollChunk(NodeID(2), .outgoing) } != row)
        board.set(board.faults)
        #expect((0..<100).map { _ in board.rollChunk(NodeID(2), .outgoing) } == row)
    }

    @Test(arguments: [0.0, 0.1, 0.5, 1.0])
    func `messages are lost and doubled as often as the rule says`(probability: Double) {
        let lost = fates(10_000, seed: 3, .init(dropProbability: probability)).count { $0.copies == 0 }
        #expect(abs(Double(lost) / 10_000 - probability) < 0.02)
        let doubled = fates(10_000, seed: 3, .init(duplicateProbability: probability)).count { $0.copies == 2 }
        #expect(abs(Double(doubled) / 10_000 - probability) < 0.02)
    }

    @Test func `delays lie between the delay and the delay with all of the jitter`() {
        let rule = NetworkFaults.Rule(delay: .milliseconds(10), jitter: .milliseconds(5))
        let delays = fates(1000, seed: 4, rule).map(\.delay)
        #expect(delays.allSatisfy { $0 >= .milliseconds(10) && $0 <= .milliseconds(15) })
        #expect(Set(delays).count > 100)
    }

    @Test func `each direction and peer has its own rule and its own chance`() {
        let board = board(.incoming, .init(isCut: true))
        #expect(board.isActive)
        #expect(board.cuts(NodeID(2), .incoming))
        #expect(!board.cuts(NodeID(2), .outgoing))
        #expect(board.cuts(NodeID(2), .both))
        #expect(!board.cuts(NodeID(3), .both))
        board.set(NetworkFaults())
        #expect(!board.isActive)
        #expect(!board.cuts(NodeID(2), .incoming))
    }

    @Test func `messages that are delayed by chance keep their order, and each comes when it is due`() {
        let board = board(.outgoing, .init(delay: .milliseconds(10), jitter: .milliseconds(100)))
        var gate = FaultGate(peer: NodeID(2), direction: .outgoing, limits: PeerTransportLimits())
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let sent: [PeerMessage] = (1...100).map { .heartbeat($0) }
        for message in sent { gate.take([message], board: board, now: start) }
        #expect(gate.release(now: start + .milliseconds(9)).isEmpty)
        var arrived: [PeerMessage] = []
        while let due = gate.nextDue {
            let now = gate.release(now: due)
            #expect(!now.isEmpty)
            arrived += now
        }
        #expect(arrived == sent)
        #expect(gate.isEmpty)
    }

    @Test func `a gate holds no more than a queue may, and counts what it loses`() {
        let board = board(.outgoing, .init(delay: .seconds(10)))
        var limits = PeerTransportLimits()
        limits.maxQueuedMessages = 3
        var gate = FaultGate(peer: NodeID(2), direction: .outgoing, limits: limits)
        let now = NIODeadline.uptimeNanoseconds(0)
        gate.take((1...5).map { .heartbeat($0) }, board: board, now: now)
        #expect(gate.release(now: now + .seconds(10)) == (1...3).map { .heartbeat($0) })
        var statistics = PeerTransportStatistics(
            peers: [PeerStatistics(node: NodeID(2))], pendingHandshakes: 0, turnedAway: 0, unroutableMessages: 0)
        board.describe(into: &statistics)
        #expect(statistics.peers.first?.droppedByFaults == 2)
    }
}
