import ByteCoding
import Raft
import Testing

@testable import RoostNode

/// An origin and a chain of leaders over a network that loses and repeats: whatever happens, each segment takes effect
/// at most once, in order, and what is reported lost never does.
@Suite("Outbox and ForwardAcceptor together")
struct OutboxDeliveryTests {
    @Test(arguments: 0..<200) func `segments take effect at most once and in order`(seed: UInt64) {
        var random = Generator(state: seed &+ 1)
        var world = World()
        for _ in 0..<400 { world.step(&random) }
        world.settleEverything()
        #expect(world.applied == world.applied.sorted(), "order of effects")
        #expect(Set(world.applied).count == world.applied.count, "no effect twice")
        #expect(world.refused.isDisjoint(with: world.applied), "what was refused took no effect")
        #expect(Set(world.applied).union(world.refused) == Set(1...world.lastSequence), "no fate stays open")
    }

    private struct World {
        var outbox = Outbox(limits: .init(requestTimeout: .seconds(100_000), maxSentBytes: 64))
        var acceptor = ForwardAcceptor()
        var now = MonotonicTime(nanoseconds: 0)
        var term = Term(1)
        /// Entries of the present leader that are not committed: lost when the term ends, unless committed before.
        var log: [UInt64] = []
        /// Committed, in order, with the term; the origin applies a prefix.
        var committed: [(term: Term, sequence: UInt64?)] = []
        var appliedCount = 0
        var network: [Outbox.Send] = []
        var networkTerm = Term(1)
        var lastSequence: UInt64 = 0
        var applied: [UInt64] = []
        var refused: Set<UInt64> = []

        mutating func step(_ random: inout Generator) {
            now = now.advanced(by: .milliseconds(random.below(200)))
            switch random.below(10) {
            case 0, 1, 2: enqueue()
            case 3, 4: send()
            case 5: deliver(&random)
            case 6: commit(random.below(4))
            case 7: apply(random.below(6))
            case 8: if random.below(4) == 0 { changeLeader() }
            default: if random.below(3) == 0 { loseLink() }
            }
            expire()
        }

        /// A calm end: every segment finds its fate.
        mutating func settleEverything() {
            for _ in 0..<200 where !outbox.isEmpty {
                now = now.advanced(by: .milliseconds(600))
                send()
                deliverAll()
                commit(log.count)
                apply(committed.count)
                expire()
            }
        }

        private mutating func enqueue() {
            lastSequence += 1
            outbox.enqueue(sequence: lastSequence, segment: "1234567890", at: now)
        }

        private mutating func send() {
            outbox.setRoute(.init(leader: NodeID(2), term: term))
            if networkTerm != term { network = [] }
            networkTerm = term
            network += outbox.takeSends(isLocal: false, at: now)
        }

        private mutating func deliver(_ random: inout Generator) {
            guard !network.isEmpty else { return }
            // A link keeps order; it may lose everything from some point on, which a new link then follows.
            let count = random.below(network.count + 1)
            for send in network.prefix(count) { judge(send) }
            network.removeFirst(count)
        }

        private mutating func deliverAll() {
            for send in network { judge(send) }
            network = []
        }

        private mutating func judge(_ send: Outbox.Send) {
            let verdict = acceptor.judge(
                origin: NodeID(1), incarnation: 9, sentIn: networkTerm, previous: send.previous,
                sequence: send.sequence, leaderTerm: term)
            if verdict == .accept { log.append(send.sequence) }
        }

        private mutating func commit(_ count: Int) {
            for sequence in log.prefix(count) { committed.append((term, sequence)) }
            log.removeFirst(min(count, log.count))
        }

        private mutating func apply(_ count: Int) {
            for entry in committed[appliedCount...].prefix(count) {
                if let sequence = entry.sequence {
                    applied.append(sequence)
                    outbox.settled(sequence, at: now)
                }
                outbox.applied(term: entry.term)
                appliedCount += 1
            }
        }

        private mutating func changeLeader() {
            log = []
            term = term.next
            committed.append((term, nil))
        }

        private mutating func loseLink() {
            network = []
            outbox.linkReset()
        }

        private mutating func expire() {
            for (sequence, expiry) in outbox.expire(at: now) where expiry != .inDoubt { refused.insert(sequence) }
        }
    }

    private struct Generator {
        var state: UInt64
        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }
}
