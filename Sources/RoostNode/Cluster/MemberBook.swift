import PeerTransport
import Raft
import RaftStorage
import Synchronization

/// Who belongs to the cluster, as this node has applied it, and where each member is reached.
///
/// The consensus thread writes what the log says; event loops note what peers say of themselves in handshakes; whoever
/// wants to dial, to admit a peer or to show a list reads. An address comes from the first of these that has one:
///
/// 1. `node.peers` of the configuration: it may be a proxy's or a translated one, and the operator knows;
/// 2. the node itself, in its last handshake: it may have moved;
/// 3. the directory that travels in the log.
final class MemberBook: Sendable {
    /// Where a node id stands.
    enum Standing: Hashable {
        case member
        /// Its id was never used, as far as this node knows: a change that this node has not applied yet adds it.
        case unheardOf
        /// Its id was used and is not a member's: it never will be again.
        case removed
    }

    private struct Pages {
        var membership: Membership
        var directory: ClusterDirectory
        /// From handshakes. Bounded by `maxStrangers` beside the members.
        var introduced: [NodeID: ClusterDirectory.Member] = [:]
        var own: ClusterDirectory.Member
        /// Nodes that were removed a moment ago, and where they were reached.
        var leaving: [NodeID: ClusterDirectory.Member] = [:]
    }

    /// Nodes that are no members yet, but dial this one: leaders and candidates of a later configuration.
    private static let maxStrangers = 16

    let node: NodeID
    private let configured: [NodeID: HostPort]
    private let pages: Mutex<Pages>
    private let isSettled = Atomic(false)

    /// - Parameters:
    ///   - configured: where founders are dialled, by configuration.
    ///   - introduced: what this node was told of the others when it joined.
    init(
        node: NodeID, cluster: ClusterPosition, configured: [NodeID: HostPort],
        introduced: [NodeID: ClusterDirectory.Member], own: ClusterDirectory.Member
    ) {
        self.node = node
        self.configured = configured
        pages = Mutex(
            Pages(
                membership: cluster.membership, directory: cluster.directory, introduced: introduced, own: own))
    }

    var membership: Membership { pages.withLock(\.membership) }
    var directory: ClusterDirectory { pages.withLock(\.directory) }

    /// Whether a quorum will not forget what the membership is, as a leader knows or has told: those who were removed may be
    /// told to go for ever. Any change takes it back.
    var confirmsRemovals: Bool {
        get { isSettled.load(ordering: .acquiring) }
        set { isSettled.store(newValue, ordering: .releasing) }
    }

    /// What the log says now.
    func update(_ membership: Membership, _ directory: ClusterDirectory) {
        // Before anybody can see who is removed now.
        confirmsRemovals = false
        pages.withLock { pages in
            for node in pages.membership.all where !membership.contains(node) && node != self.node {
                pages.leaving[node] = contact(of: node, pages)
            }
            pages.membership = membership
            pages.directory = directory
            pages.introduced = pages.introduced.filter { Self.standing(of: $0.key, pages) != .removed }
        }
    }

    /// Where this node itself is reached, once it is known.
    func setOwnPeerAddress(_ address: String) { pages.withLock { $0.own.peer = address } }

    /// What a peer said of itself.
    ///
    /// - Returns: whether that changes where it is dialled.
    func met(_ identity: PeerIdentity) -> Bool {
        var entry = ClusterDirectory.Member(peer: identity.advertisedPeer)
        (entry.redis, entry.http) = (identity.advertisedRedis, identity.advertisedHTTP)
        entry.incarnation = identity.incarnation
        return pages.withLock { pages in
            let strangers = pages.introduced.keys.count { !pages.membership.contains($0) }
            guard pages.membership.contains(identity.node) || strangers < Self.maxStrangers else { return false }
            let old = pages.introduced.updateValue(entry, forKey: identity.node)
            return old?.peer != entry.peer && configured[identity.node] == nil
        }
    }

    func standing(of node: NodeID) -> Standing { pages.withLock { Self.standing(of: node, $0) } }

    /// The incarnation with which a node joined; nil if the log does not say.
    func incarnation(of node: NodeID) -> UInt64? {
        pages.withLock { pages in
            pages.directory[node].flatMap { $0.incarnation == 0 ? nil : $0.incarnation }
        }
    }

    private static func standing(of node: NodeID, _ pages: borrowing Pages) -> Standing {
        if pages.membership.contains(node) { return .member }
        return pages.directory.isRemoved(node, from: pages.membership) ? .removed : .unheardOf
    }

    // MARK: - Addresses

    /// All that is known of where a node is reached; parts that are not known are empty.
    func contact(of node: NodeID) -> ClusterDirectory.Member {
        pages.withLock { contact(of: node, $0) }
    }

    private func contact(of node: NodeID, _ pages: borrowing Pages) -> ClusterDirectory.Member {
        if node == self.node { return pages.own }
        let (logged, introduced) = (pages.directory[node], pages.introduced[node])
        var entry = logged ?? ClusterDirectory.Member(peer: "")
        if let introduced {
            if HostPort(dialable: introduced.peer) != nil { entry.peer = introduced.peer }
            if !introduced.redis.isEmpty { entry.redis = introduced.redis }
            if !introduced.http.isEmpty { entry.http = introduced.http }
            if entry.incarnation == 0 { entry.incarnation = introduced.incarnation }
        }
        if let address = configured[node] { entry.peer = "\(address)" }
        return entry
    }

    /// Those who were removed are not dialled any more.
    ///
    /// - Returns: whether there were any.
    func sayFarewell() -> Bool {
        pages.withLock { pages in
            defer { pages.leaving = [:] }
            return !pages.leaving.isEmpty
        }
    }

    /// Everyone to dial: the other members, whoever came from a later configuration, and those who were just removed.
    func dialTable() -> [NodeID: PeerAddress] {
        pages.withLock { pages in
            let strangers = pages.introduced.keys.filter { !pages.membership.contains($0) }
            var table: [NodeID: PeerAddress] = [:]
            let wanted = pages.leaving.merging(
                (pages.membership.all + strangers).map { ($0, contact(of: $0, pages)) }, uniquingKeysWith: { $1 })
            for (node, contact) in wanted where node != self.node {
                guard let address = HostPort(dialable: contact.peer) else { continue }
                table[node] = PeerAddress(host: address.host, port: address.port)
            }
            return table
        }
    }

    /// Contacts of all members, for whoever needs the whole list at one moment.
    func contacts() -> [NodeID: ClusterDirectory.Member] {
        pages.withLock { pages in
            var contacts: [NodeID: ClusterDirectory.Member] = [:]
            for node in pages.membership.all { contacts[node] = contact(of: node, pages) }
            return contacts
        }
    }
}

extension HostPort {
    /// An address that can be dialled; nil for an empty or malformed one, a wildcard, or port 0.
    init?(dialable text: String) {
        guard let address = HostPort(text), address.port != 0, !address.isWildcard else { return nil }
        self = address
    }
}
