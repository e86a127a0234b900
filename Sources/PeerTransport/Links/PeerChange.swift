import Raft

/// What a new set of peers means for the links; a plain value.
struct PeerChange: Sendable {
    /// All links from now on, ascending by node.
    private(set) var links: [PeerLink] = []
    private(set) var arriving: [PeerLink] = []
    /// Links that stay, with the address that they must dial from now on.
    private(set) var moving: [(PeerLink, PeerAddress)] = []
    private(set) var leaving: [PeerLink] = []

    /// - Parameter own: this node, which is no peer of itself.
    init(
        from links: [PeerLink], to peers: [NodeID: PeerAddress], make: (NodeID, PeerAddress) -> PeerLink, own: NodeID
    ) {
        let before = Dictionary(uniqueKeysWithValues: links.map { ($0.node, $0) })
        for (node, address) in peers.sorted(by: { $0.key < $1.key }) where node != own {
            if let link = before[node] {
                self.links.append(link)
                if link.address != address { moving.append((link, address)) }
            } else {
                let link = make(node, address)
                self.links.append(link)
                arriving.append(link)
            }
        }
        leaving = links.filter { peers[$0.node] == nil }
    }
}
