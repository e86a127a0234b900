import ByteCoding
import Raft

/// The node's own records, in the column family `meta`:
///
/// ```
/// 01                 owner                 node u64 | cluster id u64 | incarnation u64
/// 02                 state generation      u64: the state lives in the column family state.<generation>
/// 03                 suspect               u64: why this node must not vote, see `Suspicion`; 0: it may
/// 04 | node u64 BE   peer's incarnation    u64
/// 05                 removed               u64: 1 when the cluster has removed this node, for ever
/// ```
enum MetadataKey {
    static let owner = Bytes([1])
    static let generation = Bytes([2])
    static let suspect = Bytes([3])
    static let peerFamily: UInt8 = 4
    static let removed = Bytes([5])

    static func peer(_ node: NodeID) -> Bytes {
        var writer = ByteWriter(reservingCapacity: 9)
        writer.append(peerFamily)
        writer.appendBigEndian(node.rawValue)
        return writer.take()
    }

    /// Whether a record of this build can stand under such a key.
    static func isKnown(_ key: Bytes) -> Bool {
        [owner, generation, suspect, removed].contains(key) || peer(of: key) != nil
    }

    /// The node of a peer's key, nil for keys of other families.
    static func peer(of key: Bytes) -> NodeID? {
        var reader = ByteReader(key)
        guard key.count == 9, (try? reader.u8("family")) == peerFamily else { return nil }
        return (try? reader.u64BigEndian("node")).map { NodeID($0) }
    }
}

/// Why a node must not vote, nor be counted, until a leader has told it what is committed.
enum Suspicion {
    static let none: UInt64 = 0
    /// A founder with an empty directory: new, or one that lost its disk.
    static let newFounder: UInt64 = 1
    /// `Repair` has thrown away what it could not read.
    static let repaired: UInt64 = 2

    static func record(_ suspicion: UInt64) -> Bytes { NumberRecord.encode(suspicion, key: MetadataKey.suspect) }
}

/// Ties the database to the directory's IDENTITY, so that a database moved in from elsewhere is noticed.
struct OwnerRecord: Hashable {
    var node: NodeID
    var clusterID: UInt64
    var incarnation: UInt64

    init(_ identity: Identity) {
        node = identity.node
        clusterID = identity.clusterID
        incarnation = identity.incarnation
    }

    func encode() -> Bytes {
        Record.encode(key: MetadataKey.owner) { writer in
            writer.append(node.rawValue)
            writer.append(clusterID)
            writer.append(incarnation)
        }
    }

    init(decoding value: Bytes) throws(StorageError) {
        (node, clusterID, incarnation) = try Record.decode(value, key: MetadataKey.owner, "owner record") {
            (reader) throws(MalformedBytes) in
            (NodeID(try reader.u64("node")), try reader.u64("cluster id"), try reader.u64("incarnation"))
        }
    }
}

/// A record of one number.
enum NumberRecord {
    static func encode(_ number: UInt64, key: Bytes) -> Bytes { Record.encode(key: key) { $0.append(number) } }

    static func decode(_ value: Bytes, key: Bytes, _ what: String) throws(StorageError) -> UInt64 {
        try Record.decode(value, key: key, what) { (reader) throws(MalformedBytes) in try reader.u64("number") }
    }
}
