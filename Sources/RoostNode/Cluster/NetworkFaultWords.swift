import PeerTransport
import Raft

/// The words after `ROOST.DEBUG NET`:
///
/// ```
/// CUT   [NODE|ALL] [IN|OUT|BOTH]              nothing passes
/// DROP  PERCENT [NODE|ALL] [IN|OUT|BOTH]      that many of a hundred messages are lost
/// DUP   PERCENT [NODE|ALL] [IN|OUT|BOTH]      that many of a hundred messages come twice
/// DELAY TIME [JITTER] [NODE|ALL] [IN|OUT|BOTH]
/// HEAL  [NODE|ALL]                            everything passes again
/// ```
struct NetworkFaultWords {
    /// Why the words are no order. One sentence.
    struct Refusal: Error, Hashable {
        var sentence: String
    }

    enum Fault: Hashable {
        case cut
        /// 0 ... 1
        case drop(Double)
        case duplicate(Double)
        case delay(Duration, jitter: Duration)
        case heal
    }

    let fault: Fault
    /// Nil: all peers.
    let peer: NodeID?
    let direction: NetworkFaults.Direction

    init(_ words: [String]) throws(Refusal) {
        var rest = words[...]
        guard let verb = rest.popFirst()?.uppercased() else { throw Self.usage }
        switch verb {
        case "CUT": fault = .cut
        case "HEAL": fault = .heal
        case "DROP": fault = .drop(try Self.probability(&rest))
        case "DUP": fault = .duplicate(try Self.probability(&rest))
        case "DELAY":
            guard let delay = rest.popFirst().flatMap(DurationText.parse) else { throw Self.usage }
            let jitter = rest.first.flatMap(DurationText.parse)
            if jitter != nil { rest.removeFirst() }
            fault = .delay(delay, jitter: jitter ?? .zero)
        default: throw Self.usage
        }
        peer = try Self.peer(&rest)
        direction = try Self.direction(&rest)
        guard rest.isEmpty else { throw Self.usage }
    }

    /// - Parameter all: the peers that there are.
    func apply(to faults: inout NetworkFaults, all: [NodeID]) {
        if fault == .heal, peer == nil { return faults.heal() }
        for node in peer.map({ [$0] }) ?? all {
            faults.change(node, direction) { rule in
                switch fault {
                case .cut: rule.isCut = true
                case .drop(let probability): rule.dropProbability = probability
                case .duplicate(let probability): rule.duplicateProbability = probability
                case .delay(let delay, let jitter): (rule.delay, rule.jitter) = (delay, jitter)
                case .heal: rule = .none
                }
            }
        }
    }

    private static let usage = Refusal(
        sentence: "expected CUT, DROP PERCENT, DUP PERCENT, DELAY TIME [JITTER] or HEAL, then [NODE|ALL] [IN|OUT|BOTH]")

    private static func probability(_ rest: inout ArraySlice<String>) throws(Refusal) -> Double {
        guard let word = rest.popFirst(), let percent = Int(word), (0...100).contains(percent) else {
            throw Refusal(sentence: "expected a percentage from 0 to 100")
        }
        return Double(percent) / 100
    }

    private static func peer(_ rest: inout ArraySlice<String>) throws(Refusal) -> NodeID? {
        guard let word = rest.first, NetworkFaults.Direction(rawValue: word.lowercased()) == nil else { return nil }
        rest.removeFirst()
        if word.uppercased() == "ALL" { return nil }
        guard let id = UInt64(word), id > 0 else { throw usage }
        return NodeID(id)
    }

    private static func direction(_ rest: inout ArraySlice<String>) throws(Refusal) -> NetworkFaults.Direction {
        guard let word = rest.popFirst() else { return .both }
        guard let direction = NetworkFaults.Direction(rawValue: word.lowercased()) else { throw usage }
        return direction
    }
}
