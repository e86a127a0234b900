import PeerTransport
import Raft

/// What the members say about their disks, and what a leader makes of it.
///
/// Writes that grow the data need a majority that has room for them: a node without it would have to refuse entries, and
/// with it the majority would be gone, for deletions too. So the leader stops such writes while a majority can still
/// take what frees room. One short node of three is no reason: it falls behind, and catches up when it has room.
///
/// Pure: no clock, no I/O.
struct RoomTable {
    private(set) var own: Room?
    private var others: [NodeID: Room] = [:]

    mutating func measured(_ room: Room) { own = room }

    /// - Returns: whether the level is news.
    mutating func heard(_ room: Room) -> Bool {
        let old = others.updateValue(room, forKey: room.node)
        return old?.level != room.level
    }

    /// Forgets nodes that are members no more.
    mutating func keepOnly(_ members: [NodeID]) {
        for node in others.keys.sorted() where !members.contains(node) { others[node] = nil }
    }

    /// What a leader lets into its log. `nil` before it has looked at its own disk.
    ///
    /// - Parameter active: the other members that were heard lately: whoever is away cannot help to commit.
    func verdict(_ membership: Membership, active: [NodeID], term: Term) -> RoomVerdict? {
        guard let own else { return nil }
        func holds(_ below: Room.Level) -> Bool {
            membership.hasQuorum { $0 == own.node || active.contains($0) ? level(of: $0) < below : false }
        }
        // Without a majority there is nothing to decide: the leadership ends by itself.
        let isServed = membership.hasQuorum { $0 == own.node || active.contains($0) }
        let admission: RoomVerdict.Admission =
            if own.level == .full || (isServed && !holds(.full)) {
                .none
            } else if own.level == .low || (isServed && !holds(.low)) {
                .freeing
            } else {
                .all
            }
        let candidates = [own] + active.compactMap { others[$0] }.filter { membership.isVoter($0.node) }
        return RoomVerdict(term: term, admission: admission, tightest: tightest(candidates, admission, own))
    }

    /// The voter to which a leader that is short of room should hand over: one with ample room, and of these the one
    /// whose log is longest. Nil when nothing is gained by it.
    ///
    /// - Parameter active: the other members that were heard lately, with what is known to be on their disks.
    func heir(_ membership: Membership, active: [(node: NodeID, match: LogIndex)]) -> NodeID? {
        guard let own, own.level > .ample else { return nil }
        let roomy = active.filter { membership.voters.contains($0.node) && others[$0.node]?.level == .ample }
        return roomy.max { ($0.match, $1.node) < ($1.match, $0.node) }?.node
    }

    /// A member that has said nothing yet has room, until it says otherwise.
    private func level(of node: NodeID) -> Room.Level {
        node == own?.node ? own?.level ?? .ample : others[node]?.level ?? .ample
    }

    private func tightest(_ rooms: [Room], _ admission: RoomVerdict.Admission, _ own: Room) -> Room {
        guard admission != .all else { return own }
        return rooms.max { ($0.level, $1.freeBytes, $1.node) < ($1.level, $0.freeBytes, $0.node) } ?? own
    }
}

extension Membership {
    /// Whether `isMember` holds for a majority of the voters, and in a joint configuration of the leaving ones too.
    fileprivate func hasQuorum(_ isMember: (NodeID) -> Bool) -> Bool {
        [voters, outgoing].allSatisfy { $0.isEmpty || 2 * $0.count(where: isMember) > $0.count }
    }
}
