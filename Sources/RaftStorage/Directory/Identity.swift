package import Raft

/// Whose data directory this is.
package struct Identity: Hashable, Sendable {
    package var node: NodeID
    /// `NodeStore.clusterID(name:founders:)`: nodes of different clusters refuse each other by it.
    package var clusterID: UInt64
    package var clusterName: String
    /// Ascending.
    package var founders: [NodeID]
    /// Random, made with the directory: a known node id with another incarnation has lost its disk. Never 0.
    package var incarnation: UInt64
    /// Whether the directory was completed at this start: nothing was ever promised from it.
    package var isNew: Bool

    package init(
        node: NodeID, clusterName: String, founders: [NodeID], incarnation: UInt64, isNew: Bool
    ) {
        self.node = node
        self.clusterID = NodeStore.clusterID(name: clusterName, founders: founders)
        self.clusterName = clusterName
        self.founders = Set(founders).sorted()
        self.incarnation = incarnation
        self.isNew = isNew
    }

    /// Whether a new directory of this identity must not vote yet: the founder may have voted before, from a directory
    /// that it lost. A sole founder has nobody who could remember it, and the id of a node that joined was never used.
    var isBornSuspect: Bool { isNew && founders.count > 1 && founders.contains(node) }

    /// A new directory's identity.
    static func make(for configuration: StoreConfiguration) throws(StorageError) -> Identity {
        let identity: Identity
        switch configuration.origin {
        case .founder:
            identity = Identity(
                node: configuration.node, clusterName: configuration.clusterName, founders: configuration.founders,
                incarnation: .random(in: 1 ... .max), isNew: true)
        case .joined(let joined): identity = try make(joined)
        case .existing: throw nothingExists(in: configuration.directory)
        }
        let name = identity.clusterName
        guard
            (1...StoreConfiguration.maxClusterNameBytes).contains(name.utf8.count),
            name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw StorageError(
                .other, "cluster name of \(name.utf8.count) bytes",
                remedy: "use 1 to \(StoreConfiguration.maxClusterNameBytes) bytes without control characters")
        }
        return identity
    }

    private static func make(_ joined: StoreConfiguration.JoinedIdentity) throws(StorageError) -> Identity {
        let identity = Identity(
            node: joined.node, clusterName: joined.clusterName, founders: joined.founders,
            incarnation: joined.incarnation, isNew: true)
        guard identity.clusterID == joined.clusterID else {
            throw StorageError(
                .wrongIdentity,
                "the cluster says that its id is \(joined.clusterID.hex), but \"\(joined.clusterName)\" founded by "
                    + "nodes \(identity.founders.listed) has \(identity.clusterID.hex)")
        }
        return identity
    }

    private static func nothingExists(in directory: String) -> StorageError {
        StorageError(
            .wrongIdentity, "\(directory) belongs to no node yet",
            remedy: "check the data directory, or found a cluster in it, or join one")
    }

    /// Refuses a configuration that means another node or another cluster.
    func check(against configuration: StoreConfiguration) throws(StorageError) {
        if configuration.origin == .existing { return }
        let directory = configuration.directory
        guard node == configuration.node else {
            throw StorageError(
                .wrongIdentity, "\(directory) belongs to node \(node), not to node \(configuration.node)")
        }
        guard
            clusterID == NodeStore.clusterID(name: configuration.clusterName, founders: configuration.founders)
        else {
            let founders = Set(configuration.founders).sorted().listed
            throw StorageError(
                .wrongIdentity,
                "\(directory) belongs to cluster \"\(clusterName)\" founded by nodes \(self.founders.listed), "
                    + "not to \"\(configuration.clusterName)\" founded by nodes \(founders)")
        }
        if case .joined(let joined) = configuration.origin, joined.incarnation != incarnation {
            throw StorageError(
                .wrongIdentity,
                "\(directory) has incarnation \(incarnation.hex), and the cluster admitted \(joined.incarnation.hex)")
        }
    }
}

extension NodeStore {
    /// The id of the cluster of that name and those founders, whatever their order: FNV-1a of the name's length, the
    /// name and the ascending ids (64 bits, little-endian), stirred by the finalizer of SplitMix64. Part of the format.
    package static func clusterID(name: String, founders: some Sequence<NodeID>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        func add(_ value: UInt64) { for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(value >> shift & 0xFF)) } }
        add(UInt64(name.utf8.count))
        for byte in name.utf8 { add(byte) }
        for founder in Set(founders).sorted() { add(founder.rawValue) }
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return hash ^ hash >> 31
    }
}

extension [NodeID] {
    /// `1,2,3`
    var listed: String { map(\.description).joined(separator: ",") }
}
