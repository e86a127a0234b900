import ByteCoding
import KeyValue
import Raft
import RaftStorage

/// One member of a group: core, log and state machine as the daemon's threads drive them, all on the caller's thread.
///
/// Time stands still but for what the caller adds: no timer runs out during the work that is counted.
final class Member {
    static let group = GroupID(1)

    let node: NodeID
    let engine: SinkEngine
    let store: NodeStore
    private let machine: KeyValueMachine<NodeState>
    private var core: RaftCore
    private var position: AppliedPosition
    private var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var lastProposal: UInt64 = 0
    /// What the last `work` sends, encoded.
    private(set) var outbox: [Bytes] = []

    init(_ node: UInt64, of founders: [UInt64]) throws {
        self.node = NodeID(node)
        let voters = founders.map { NodeID($0) }
        engine = SinkEngine()
        store = try NodeStore.open(
            StoreConfiguration(directory: "", node: self.node, clusterName: "budget", founders: voters),
            identity: Identity(
                node: self.node, clusterName: "budget", founders: voters, incarnation: node, isNew: true),
            engine: engine)
        try store.setSuspect(false)
        machine = KeyValueMachine(store: store.state, group: Self.group.rawValue)
        position = AppliedPosition(
            id: .zero, membership: Membership(voters: voters), directory: ClusterDirectory(founders: voters))
        let restored = try store.recover(Self.group, founders: Membership(voters: voters)) { _ in }
        core = RaftCore(
            configuration: Configuration(group: Self.group, node: self.node, seed: 1), restored: restored, now: now)
    }

    var isLeader: Bool { core.role == .leader }

    /// Lets the time go on, and the timers with it.
    func wait(_ duration: Duration) {
        now = now.advanced(by: duration)
        core.step(.timeAdvanced, at: now)
    }

    /// Puts segments into the log as one block.
    func propose(_ segments: [Bytes]) {
        lastProposal += 1
        core.step(
            .proposed([
                Proposal(
                    token: ProposalToken(lastProposal),
                    payload: Block.encode(stamp: now.nanoseconds / 1_000_000, segments: segments))
            ]), at: now)
    }

    /// Takes what another member has sent.
    func receive(_ bytes: Bytes) throws {
        var reader = ByteReader(bytes)
        core.step(.received(try Message(decoding: &reader)), at: now)
    }

    /// Carries effects out until there are none; what is to be sent is in `outbox`.
    ///
    /// - Parameter settle: gets the outcomes of this member's segments.
    func work(_ settle: (Origin, [Outcome]) -> Void = { _, _ in }) throws {
        outbox.removeAll(keepingCapacity: true)
        while true {
            let effects = core.drainEffects()
            if effects.isEmpty { return }
            for effect in effects { try carryOut(effect, settle) }
        }
    }

    private func carryOut(_ effect: Effect, _ settle: (Origin, [Outcome]) -> Void) throws {
        switch effect {
        case .send(let message):
            var writer = ByteWriter(reservingCapacity: message.encodedByteCount)
            message.encode(into: &writer)
            outbox.append(writer.take())
        case .persist(let batch):
            try store.write([batch])
            core.step(.persisted(batch.ticket), at: now)
        case .apply(let entries):
            try apply(entries, settle)
        case .violated(let violation): throw BudgetError("\(violation)")
        case .proposalRefused(_, let refusal): throw BudgetError("\(refusal)")
        default: break
        }
    }

    private func apply(_ entries: [Entry], _ settle: (Origin, [Outcome]) -> Void) throws {
        var units = entries.map { entry in
            ApplyUnit(
                position: Bytes(), index: entry.index.rawValue, payload: entry.kind == .normal ? entry.payload : nil)
        }
        guard let last = entries.last else { return }
        position.id = last.id
        units[units.count - 1].position = position.encode()
        try machine.apply(units, settlingFor: node.rawValue, incarnation: node.rawValue, settle)
        core.step(.applied(last.index), at: now)
    }
}

/// The rig itself went wrong: no figure of it means anything.
struct BudgetError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
