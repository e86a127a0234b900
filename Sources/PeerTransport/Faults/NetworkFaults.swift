package import Raft

/// What goes wrong, on purpose, with the messages between this node and its peers.
///
/// A value: change a copy, then give it to `PeerTransport.setFaults(_:)`. Each message of a link and each chunk of a snapshot
/// is judged by itself. Handshakes and pings are only stopped by a cut.
package struct NetworkFaults: Hashable, Sendable {
    /// Which way, as this node sees it.
    package enum Direction: String, Hashable, Sendable, CaseIterable {
        case incoming = "in"
        case outgoing = "out"
        case both
    }

    /// What happens to messages; the default is nothing.
    package struct Rule: Hashable, Sendable {
        /// Nothing passes, connections stay open, new ones don't come about: a partition as a network makes it.
        package var isCut: Bool
        /// 0 … 1. A dropped chunk breaks the connection of its snapshot, which then goes on over a new one.
        package var dropProbability: Double
        /// 0 … 1: the message comes twice.
        package var duplicateProbability: Double
        /// How much later a message comes. Messages keep their order.
        package var delay: Duration
        /// Up to this much later still, chosen at random.
        package var jitter: Duration

        package init(
            isCut: Bool = false, dropProbability: Double = 0, duplicateProbability: Double = 0, delay: Duration = .zero,
            jitter: Duration = .zero
        ) {
            self.isCut = isCut
            self.dropProbability = dropProbability
            self.duplicateProbability = duplicateProbability
            self.delay = delay
            self.jitter = jitter
        }

        package static let none = Rule()
    }

    /// Steers all chance: the same messages under the same faults meet the same fate.
    package var seed: UInt64
    /// Only rules that do something.
    private var incoming: [NodeID: Rule] = [:]
    private var outgoing: [NodeID: Rule] = [:]

    package init(seed: UInt64 = 0) { self.seed = seed }

    /// Whether everything passes.
    package var isEmpty: Bool { incoming.isEmpty && outgoing.isEmpty }

    /// The peers for which something is set, ascending.
    package var peers: [NodeID] { Set(incoming.keys).union(outgoing.keys).sorted() }

    /// What happens to messages from (`.incoming`) or to (`.outgoing`) that peer.
    ///
    /// - Precondition: `direction` is not `.both`.
    package func rule(_ peer: NodeID, _ direction: Direction) -> Rule {
        switch direction {
        case .incoming: incoming[peer] ?? .none
        case .outgoing: outgoing[peer] ?? .none
        case .both: preconditionFailure("each direction has a rule of its own")
        }
    }

    /// Changes the rules of that peer; other rules stay.
    package mutating func change(_ peer: NodeID, _ direction: Direction, _ change: (inout Rule) -> Void) {
        if direction != .outgoing { Self.change(&incoming[peer], change) }
        if direction != .incoming { Self.change(&outgoing[peer], change) }
    }

    /// Everything passes again between this node and that peer.
    package mutating func heal(_ peer: NodeID, _ direction: Direction = .both) {
        change(peer, direction) { $0 = .none }
    }

    /// Everything passes again. The seed stays.
    package mutating func heal() { self = NetworkFaults(seed: seed) }

    private static func change(_ stored: inout Rule?, _ change: (inout Rule) -> Void) {
        var rule = stored ?? .none
        change(&rule)
        precondition(
            (0...1).contains(rule.dropProbability) && (0...1).contains(rule.duplicateProbability),
            "a probability is between 0 and 1")
        precondition(rule.delay >= .zero && rule.jitter >= .zero, "a delay is not negative")
        stored = rule == .none ? nil : rule
    }
}
