import PeerTransport
import Raft
import RedisServer

/// `ROOST.DEBUG NET`: makes the links between this node and its peers fail on purpose, until `HEAL`.
extension NodeView {
    func breakNetwork(_ words: [String]) -> AdminReply {
        guard allowsFaults else { return Self.faultsAreOff }
        guard let transport, let book else { return .failure("LOADING the node is not ready yet") }
        do throws(NetworkFaultWords.Refusal) {
            let order = try NetworkFaultWords(words)
            var faults = transport.faults
            let others = book.dialTable().keys.filter { $0 != book.node }
            order.apply(to: &faults, all: others.sorted())
            transport.setFaults(faults)
            return .ok
        } catch {
            return .failure("ERR \(error.sentence)")
        }
    }

    static let faultsAreOff = AdminReply.failure(
        "ERR fault injection is off: it is for tests, and needs debug.fault_injection = true "
            + "(--fault-injection yes) when the node starts")
}
