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
    /// Size of the log's memtable, in bytes. At least eight times that of the state: the log is cut after each flush of
    /// the state, and what is cut before its memtable fills never reaches an SST file. Default 256 MiB.
    package var logWriteBufferBytes = 256 << 20
    /// Memtables of the log. Default 3.
    package var logWriteBuffers = 3
    /// Blocks of SST files kept in memory, in bytes; index and filter blocks are charged to it. Default 64 MiB.
    package var blockCacheBytes = 64 << 20
    /// Backstop for the write-ahead log, in bytes: beyond it RocksDB flushes whatever holds the oldest file back.
    /// Reached only when the state isn't flushed as it should be. Default 512 MiB.
    package var maxTotalWalBytes = 512 << 20
    /// Threads of RocksDB for flushes and compactions. Default 2: one can flush while the other compacts.
    package var backgroundJobs = 2

    /// The state is flushed when the entries applied since the last flush exceed this many bytes: they are read and
    /// applied again after a crash. Default 64 MiB.
    package var maxUnflushedLogBytes = 64 << 20
    /// The state is flushed when more entries than this were applied since the last flush. Replay runs at about 0.4
    /// million a second, so the default, 500,000, costs at most about 1.5 s.
    package var maxUnflushedEntries = 500_000
    /// The state is flushed when something has waited this long, provided `minAgedBytes` wait. Default 60 s.
    package var maxUnflushedAge = Duration.seconds(60)
    /// Less than this many bytes aren't flushed for their age alone: tiny SST files cost compactions. Default 1 MiB.
    package var minAgedBytes = 1 << 20
    /// Entries that stay in the log below the point where it could be cut, so that a follower that was away for a
    /// moment catches up from them. Default 10,000.
    package var truncationSlackEntries = 10_000

    /// A longer name is refused.
    package static let maxClusterNameBytes = 128

    package init(directory: String, node: NodeID, clusterName: String, founders: [NodeID]) {
        self.directory = directory
        self.node = node
        self.clusterName = clusterName
        self.founders = founders
    }
}
