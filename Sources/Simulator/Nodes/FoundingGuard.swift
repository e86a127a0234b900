import Raft
import RaftStorage

/// `RoostNode`'s rule of the same name, for whether a founder with an empty directory may vote: not once it has met one
/// with data; else when it has met all others, or has waited for long.
struct FoundingGuard {
    private(set) var unmet: [NodeID]
    private var metData = false
    /// When those that were not met are taken for not started.
    private let deadline: MonotonicTime

    enum Decision: Equatable {
        case wait, vote, catchUpFirst
    }

    init(others: [NodeID], deadline: MonotonicTime) {
        unmet = others
        self.deadline = deadline
    }

    mutating func met(_ node: NodeID, hasData: Bool) {
        unmet.removeAll { $0 == node }
        if hasData { metData = true }
    }

    func decision(at now: MonotonicTime) -> Decision {
        if metData { return .catchUpFirst }
        return unmet.isEmpty || now >= deadline ? .vote : .wait
    }
}

extension NodeProcess {
    /// In election timeouts.
    private static let foundingGrace = 5

    // MARK: Whether to vote

    func beginFounding() {
        guard node.isSuspect, view.last == .zero else { return }
        // A wiped founder that meets nobody for long and then votes is what the real rule leaves open, because it takes
        // two faults at once: so here it waits for ever.
        let grace = Duration.nanoseconds(Int64(world.options.core.electionTimeout)) * Self.foundingGrace
        founding = FoundingGuard(
            others: world.founders.voters.filter { $0 != node.id },
            deadline: node.isWiped ? .never : localTime.advanced(by: grace))
        planLook()
    }

    private func planLook() {
        world.plan(.lookAround(node: Int32(place), life: life), after: world.options.core.heartbeatInterval)
    }

    func lookAround() {
        guard var guardian = founding else { return }
        for other in guardian.unmet {
            guard let there = world.place(of: other), world.areConnected(place, there) else { continue }
            guardian.met(other, hasData: (world.nodes[there].process?.view.last ?? .zero) > .zero)
        }
        guard node.process === self else { return }
        founding = guardian
        switch guardian.decision(at: localTime) {
        case .wait: planLook()
        case .vote:
            world.marks.reach(.foundersTrusted)
            founding = nil
            if becomeTrusted() { give(.votingAllowed) }
        case .catchUpFirst:
            world.say { "n\(node.id) is empty and the cluster is not" }
            world.marks.reach(.foundersDistrusted)
            founding = nil
        }
    }

    /// The core has lifted the ban by itself.
    func noteTrust() {
        guard founding == nil, core.mayVote else { return }
        world.marks.reach(.suspectCaughtUp)
        _ = becomeTrusted()
    }

    private func becomeTrusted() -> Bool {
        do throws(StorageError) { try store.setSuspect(false) } catch {
            fail(error)
            return false
        }
        node.isSuspect = false
        return true
    }

    // MARK: Whom to let in

    /// Whether it has met another directory of this peer.
    func refuses(_ peer: Int, _ incarnation: UInt64) -> Bool {
        peer < directories.count && directories[peer] != 0 && directories[peer] != incarnation
    }

    /// `RoostNode`'s `PeerGate`: a node id belongs to the first directory that was met under it.
    func admits(_ peer: Int, _ incarnation: UInt64) -> Bool {
        while directories.count <= peer {
            directories.append(store.peerIncarnation(of: world.nodes[directories.count].id) ?? 0)
        }
        if directories[peer] == 0 {
            do throws(StorageError) { try store.record(incarnation: incarnation, of: world.nodes[peer].id) } catch {
                fail(error)
                return false
            }
            directories[peer] = incarnation
        }
        return directories[peer] == incarnation
    }
}

extension World {
    /// Whether a connection between two nodes that are up comes to stand.
    func areConnected(_ a: Int, _ b: Int) -> Bool {
        nodes[a].isUp && nodes[b].isUp && !network.isCut(from: a, to: b) && !network.isCut(from: b, to: a)
            && knowEachOther(a, b)
    }
}
