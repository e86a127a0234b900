package import Raft

/// Where and how a node keeps its data. Local to the node: none of it is replicated.
package struct StoreConfiguration: Sendable {
    package enum Engine: String, Sendable {
        /// On disk, durable.
        case rocksdb
        /// In memory: everything is lost when the process ends. For trying out and for tests.
        case memory
    }

    /// The data directory; made, with its parents, if it doesn't exist. `Engine.memory` never touches it.
    package var directory: String
    package var origin = Origin.founder
    /// Not used with `Origin.existing`, nor are the next two: `NodeStore.identity` says them after opening.
    package var node: NodeID
    /// 1 ... `maxClusterNameBytes` bytes without control characters.
    package var clusterName: String
    /// The ids of the cluster's founding nodes; with the name they make the cluster's id.
    package var founders: [NodeID]
    /// Default `.rocksdb`.
    package var engine = Engine.rocksdb

    /// Size of the state's memtable, in bytes: random inserts cost more the larger it is (2.4 us at 512 MiB, 1.6 us at
    /// 16 MiB), and it bounds what a flush before a snapshot takes. Default 32 MiB.
    package var stateWriteBufferBytes = 32 << 20
    /// Memtables of the state, so that applying goes on while some are flushed. Default 4.
    package var stateWriteBuffers = 4
    /// Size of the log's memtable, in bytes. At least eight times `maxUnflushedLogBytes`: the log is cut after each flush
    /// of the state, and what is cut before its memtable is written out, when it is half full (`NodeStore.tidyLog`), never
    /// reaches an SST file. A restart reads it back, at about 300 MB/s. Default 128 MiB.
    package var logWriteBufferBytes = 128 << 20
    /// Memtables of the log. Default 3.
    package var logWriteBuffers = 3
    /// Data blocks of SST files kept in memory, in bytes. Indexes and filters come beside it, some 2.5 bytes a key: they stay
    /// with the open files. Default 64 MiB.
    package var blockCacheBytes = 64 << 20
    /// Backstop for the write-ahead log, in bytes: beyond it RocksDB flushes whatever holds the oldest file back.
    /// Reached only when the state isn't flushed as it should be. Default 512 MiB.
    package var maxTotalWalBytes = 512 << 20
    /// Threads of RocksDB for flushes and compactions. Default 2: one can flush while the other compacts.
    package var backgroundJobs = 2

    /// The state is flushed when the entries applied since the last flush exceed this many bytes: they are read and
    /// applied again after a crash, at about 0.4 million commands a second. Default 16 MiB, 130,000 commands with values
    /// of 100 bytes.
    package var maxUnflushedLogBytes = 16 << 20
    /// The state is flushed when more entries than this were applied since the last flush. Small entries are applied again
    /// at about 0.4 million a second; bytes say so before the default, 500,000, does.
    package var maxUnflushedEntries = 500_000
    /// The state is flushed when something has waited this long, provided `minAgedBytes` wait. Default 60 s.
    package var maxUnflushedAge = Duration.seconds(60)
    /// Less than this many bytes aren't flushed for their age alone: tiny SST files cost compactions. Default 1 MiB.
    package var minAgedBytes = 1 << 20
    /// Entries that stay in the log below the point where it could be cut, so that a follower that was away for a
    /// moment catches up from them. Default 10,000.
    package var truncationSlackEntries = 10_000
    /// The same in bytes, whichever is less: entries of a megabyte each would make ten thousand of them too many, and
    /// what stays is written once more whenever the log's memtable is. Members that are away hold the log back by
    /// themselves. Default 8 MiB.
    package var truncationSlackBytes = 8 << 20

    /// With less free space than this at the start, the directory's reserve is given up first (`ReserveFile`).
    /// Default 0: never.
    package var minFreeBytesAtStart: UInt64 = 0

    /// Whether tables are compacted from the moment of opening; else not before `NodeStore.setCompactsByItself`, when it is
    /// known that there is room for that. Default true.
    package var compactsByItself = true

    /// A longer name is refused.
    package static let maxClusterNameBytes = 128

    /// A founder's.
    package init(directory: String, node: NodeID, clusterName: String, founders: [NodeID]) {
        self.directory = directory
        self.node = node
        self.clusterName = clusterName
        self.founders = founders
    }

    /// A node's that is no founder, or whose directory says who it is.
    package init(directory: String, origin: Origin) {
        switch origin {
        case .joined(let identity):
            self.init(
                directory: directory, node: identity.node, clusterName: identity.clusterName,
                founders: identity.founders)
        case .founder, .existing: self.init(directory: directory, node: NodeID(0), clusterName: "", founders: [])
        }
        self.origin = origin
    }
}

extension StoreConfiguration {
    /// How the data directory comes by its identity.
    package enum Origin: Hashable, Sendable {
        /// From this configuration: a new directory gets it, an existing one must have it.
        case founder
        /// From a cluster that admitted the node: a new directory gets it, an existing one must have it.
        case joined(JoinedIdentity)
        /// From its own IDENTITY file, whatever that says; there must be one.
        case existing
    }

    /// What a cluster told a node that it admitted.
    package struct JoinedIdentity: Hashable, Sendable {
        package var node: NodeID
        package var clusterID: UInt64
        package var clusterName: String
        package var founders: [NodeID]
        /// Drawn by the node before it asked, not 0: the cluster knows the node's directory by it.
        package var incarnation: UInt64

        package init(
            node: NodeID, clusterID: UInt64, clusterName: String, founders: [NodeID], incarnation: UInt64
        ) {
            self.node = node
            self.clusterID = clusterID
            self.clusterName = clusterName
            self.founders = founders
            self.incarnation = incarnation
        }
    }
}
