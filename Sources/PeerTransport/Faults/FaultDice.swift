import Raft

/// Decides what becomes of each message of one direction between this node and a peer.
struct FaultDice: Sendable {
    let peer: NodeID
    /// `.incoming` or `.outgoing`.
    let direction: NetworkFaults.Direction
    private var generation: UInt64?
    private var random = FaultRandom(state: 0)

    /// What becomes of a message.
    struct Fate: Hashable, Sendable {
        /// 0: it is lost; 2: it comes twice.
        var copies: Int
        var delay: Duration
    }

    init(peer: NodeID, direction: NetworkFaults.Direction) {
        self.peer = peer
        self.direction = direction
    }

    /// Rolls for one message.
    mutating func roll(_ law: FaultBoard.Law) -> Fate {
        if generation != law.generation {
            generation = law.generation
            random = FaultRandom(state: law.seed ^ (peer.rawValue << 1 | (direction == .incoming ? 1 : 0)))
        }
        let rule = law.rule
        guard !rule.isCut, !hits(rule.dropProbability) else { return Fate(copies: 0, delay: .zero) }
        let copies = hits(rule.duplicateProbability) ? 2 : 1
        guard rule.jitter > .zero else { return Fate(copies: copies, delay: rule.delay) }
        return Fate(copies: copies, delay: rule.delay + rule.jitter * Double.random(in: 0...1, using: &random))
    }

    private mutating func hits(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, fast, and a seed gives the same numbers everywhere.
struct FaultRandom: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
