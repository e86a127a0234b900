package import Logging
package import RaftStorage

/// Everything an operator can set on one node, as plain values. Local: nothing here is replicated, and nothing here
/// may steer how entries are applied.
///
/// The sections and fields are those of the TOML file (`field` here is `field_in_snake_case` there). What each one is
/// called on the command line and in the environment, how it is written and its documentation stand in `Setting.all`.
package struct NodeConfiguration: Hashable, Sendable {
    package var node = Node()
    package var listen = Listen()
    package var advertise = Advertise()
    package var raft = Raft()
    package var storage = Storage()
    package var limits = Limits()
    package var log = Log()
    package var debug = Debug()

    package init() {}
}

extension NodeConfiguration {
    /// Who this node is and with whom it founds a cluster.
    package struct Node: Hashable, Sendable {
        /// Names this node for ever; never reused. 1 and up. Default 1, the only member of a cluster of one.
        package var id: UInt64 = 1
        /// Where everything is kept. Made if missing. Default `./roost-data`.
        package var dataDir = "./roost-data"
        /// Goes into the cluster's identity: clusters with different names refuse each other. Default `roost`.
        package var clusterName = "roost"
        /// The founding members and where this node dials them, itself included. Empty: a cluster of one (default).
        package var peers: [UInt64: HostPort] = [:]
        /// The peer address of any member of the cluster to join, instead of `peers`. Only while the data directory has
        /// no identity; ignored afterwards. Nil (default): found a cluster.
        package var join: HostPort?
    }

    /// Where this node listens. Port 0 picks a free one. All on loopback by default, so that a fresh node is private.
    package struct Listen: Hashable, Sendable {
        /// The door for Redis clients. Default 127.0.0.1:6400.
        package var redis = HostPort(host: "127.0.0.1", port: 6400)
        /// The door for the other nodes. Default 127.0.0.1:7400.
        package var peer = HostPort(host: "127.0.0.1", port: 7400)
        /// The door for metrics, health and status. Default 127.0.0.1:8400.
        package var http = HostPort(host: "127.0.0.1", port: 8400)
        /// Refuses to listen beyond loopback while nothing authenticates clients, as Redis does. Default true.
        package var protectedMode = true
    }

    /// What others are told to dial, when that differs from where this node listens (translation, proxies, `0.0.0.0`).
    /// Nil: the address that is listened on.
    package struct Advertise: Hashable, Sendable {
        package var redis: HostPort?
        package var peer: HostPort?
        package var http: HostPort?
    }

    /// The consensus core; the fields of `Raft.Configuration`, with its defaults.
    package struct Raft: Hashable, Sendable {
        /// A follower that hears nothing for this long, plus up to as much again at random, starts an election.
        /// Default 300 ms: several heartbeats and a slow fsync fit in.
        package var electionTimeout: Duration = .milliseconds(300)
        /// How often a leader shows that it is alive. Default 50 ms; at most a third of the election timeout.
        package var heartbeatInterval: Duration = .milliseconds(50)
        /// Ask whether an election could be won before raising the term (Raft thesis, section 9.6). Default true.
        package var preVote = true
        /// A leader that loses touch with a majority for an election timeout steps down. Default true.
        package var checkQuorum = true
        /// Bytes of entries in one append message, soft by one entry. Default 256 KiB.
        package var maxAppendBytes = 256 << 10
        /// Append messages under way to one follower. Default 64.
        package var maxInflightMessages = 64
        /// Bytes of entries under way to one follower, soft by one message. Default 8 MiB: 80 MB/s at 100 ms.
        package var maxInflightBytes = 8 << 20
        /// While this many bytes wait for commit, further writes wait (`BUSY` after `parkTimeout`). Default 64 MiB.
        package var maxUncommittedBytes = 64 << 20
        /// While this many bytes are committed and not applied, a node takes no entries and no writes: a state that cannot
        /// keep up must not fill the memory. Default 256 MiB.
        package var maxUnappliedBytes = 256 << 20
        /// Bytes handed to the state machine at a time, soft by one entry. Default 4 MiB.
        package var maxApplyBytes = 4 << 20
        /// Entries kept in memory for followers that lag. Default 64 MiB.
        package var entryCacheBytes = 64 << 20
        /// Answer reads without asking a majority, trusting clocks (Raft thesis, section 6.4.1). Alike on all nodes.
        /// Default false.
        package var leaseReads = false
        /// How much faster or slower than real time any node's clock may run; only `leaseReads` relies on it.
        /// Default 10.
        package var maxClockDriftPercent = 10
        /// A leader whose disk has not finished a write for this long hands over, if it can. Default 2 s.
        package var diskStallLimit: Duration = .seconds(2)
        /// Entries that the log keeps for a member that is behind; further behind, it gets a snapshot.
        /// Default 1,000,000.
        package var maxRetainedEntries = 1_000_000
        /// The same in bytes. Default 1 GiB.
        package var maxRetainedBytes = 1 << 30
    }

    /// Where state and log are kept, and how much memory and time that may take.
    package struct Storage: Hashable, Sendable {
        package enum Engine: String, CaseIterable, Hashable, Sendable {
            case rocksdb
            /// Nothing is kept: for experiments and tests.
            case memory
        }

        package var engine: Engine = .rocksdb
        /// One memtable of the state. Default 32 MiB.
        package var stateWriteBufferBytes = 32 << 20
        /// Memtables of the state before writes stall. Default 4.
        package var stateWriteBuffers = 4
        /// One memtable of the log. Default 128 MiB: most entries are truncated before they would be flushed.
        package var logWriteBufferBytes = 128 << 20
        /// Memtables of the log before writes stall. Default 3.
        package var logWriteBuffers = 3
        /// Cache of uncompressed blocks. Default 64 MiB.
        package var blockCacheBytes = 64 << 20
        /// Size of all write-ahead logs at which the oldest memtables are flushed. Default 512 MiB.
        package var maxTotalWalBytes = 512 << 20
        /// Threads for flushes and compactions. Default 2.
        package var backgroundJobs = 2
        /// Log bytes that a restart may have to apply again before a flush is asked for. Default 16 MiB.
        package var maxUnflushedLogBytes = 16 << 20
        /// The same as a number of entries. Default 500,000.
        package var maxUnflushedEntries = 500_000
        /// The same as an age. Default 60 s.
        package var maxUnflushedAge: Duration = .seconds(60)
        /// Less log than this is not flushed for its age: a table for a few commands is not worth its file. Default 1 MiB.
        package var minAgedBytes = 1 << 20
        /// Applied entries kept in the log for followers that lag. Default 10,000.
        package var truncationSlackEntries = 10_000
        /// The same in bytes, whichever is less. Default 8 MiB.
        package var truncationSlackBytes = 8 << 20
        /// All files are read again and again, so much of them a second, to find damage early; 0: never. Default 8 MiB.
        package var scrubRateBytes = 8 << 20
        /// Pause between two such passes. Default 24 h.
        package var scrubInterval: Duration = .seconds(24 * 3600)
        /// The replicas' states are compared in the background, each node reading so much of its own a second; 0: never.
        /// Default 8 MiB: as gentle as the scrub.
        package var compareRateBytes = 8 << 20
        /// Pause between two such passes. Default 1 h: a replica that went astray is found within the hour it does harm in.
        package var compareInterval: Duration = .seconds(3600)
        /// So much is compared at one index. Meanwhile nothing can be freed that was replaced since. Default 32 MiB: 4 s.
        package var compareSliceBytes = 32 << 20
        /// A node that finds its own data damaged gives it up and fetches it from the others, if they are a majority
        /// without it. Default true: a majority that is whole should not wait for an operator at night, and the damaged
        /// files are kept until the others have made good for them.
        package var repairFromPeers = true
        /// More such repairs within an hour end the node with 65: its disk is dying. Default 3.
        package var maxRepairsPerHour = 3
        /// Below so much free space, writes that need room are refused (`NOSPACE`). Default: 5 % of the file system, at
        /// most 2 GiB.
        package var minFreeBytes = ByteLimit.automatic
        /// Below so much, no write is taken at all. Default: a quarter of `minFreeBytes`.
        package var criticalFreeBytes = ByteLimit.automatic
        /// Size of the file that is given up when the node starts on a full disk. Default: half of `minFreeBytes`, at
        /// most 1 GiB.
        package var reserveBytes = ByteLimit.automatic
    }

    /// What clients and peers may ask of this node; reaching a limit gives a clear answer.
    package struct Limits: Hashable, Sendable {
        /// Connections on the Redis door. Default 10,000.
        package var maxClients = 10_000
        /// Default 64 KiB.
        package var maxKeyBytes = 64 << 10
        /// Default 8 MiB.
        package var maxValueBytes = 8 << 20
        /// Arguments of one command. Default 65,536.
        package var maxArguments = 65_536
        /// One command with all its arguments. Default 64 MiB.
        package var maxRequestBytes = 64 << 20
        /// Commands of one connection that wait for their answers; more are left unread. Default 10,000.
        package var maxPipelinedCommands = 10_000
        /// Bytes of one connection's commands and replies that wait for their turn; beyond, its further commands are left
        /// unread. One command always goes. Default 16 MiB.
        package var maxPipelinedBytes = 16 << 20
        /// Bytes of all this node's clients' writes that have no outcome yet; beyond, further ones are answered `-BUSY`.
        /// Default 512 MiB.
        package var maxWaitingWriteBytes = 512 << 20
        /// The longest reply of MGET. While half of it, or 1 MiB, waits for a client to read, its commands wait.
        /// Default 32 MiB.
        package var maxOutputBufferBytes = 32 << 20
        /// Commands of many clients in one entry, soft by one command. Default 1 MiB.
        package var maxBatchBytes = 1 << 20
        /// How long a command waits for a leader before `-LOADING`. Default 2 s.
        package var parkTimeout: Duration = .seconds(2)
        /// How long a command waits for its outcome before `-INDOUBT`. Default 5 s.
        package var requestTimeout: Duration = .seconds(5)
        /// Writes of this node's clients that are sent to the leader and not settled. Default 16 MiB.
        package var maxUnsettledBytes = 16 << 20
        /// What a leader was sent and did not settle for this long is sent again, then ever more rarely. Default 500 ms.
        package var resendInterval: Duration = .milliseconds(500)
        /// Threads that serve clients. 0 (default): half of the processors, at least one.
        package var eventLoops = 0
        /// Piece in which a message to a peer is cut, so that heartbeats go between. Default 256 KiB.
        package var peerMaxFrameBytes = 256 << 10
        /// The longest message a peer may send. Default 80 MiB: one entry with the longest request.
        package var peerMaxMessageBytes = 80 << 20
        /// Bytes queued to one peer before bulk is dropped (Raft sends it again). Default 64 MiB.
        package var peerQueueBytes = 64 << 20
        /// The longest pause between attempts to reach a peer. Default 1 s.
        package var peerReconnectMax: Duration = .seconds(1)
        /// Bytes a second that a snapshot may take on the way to one member; 0: as fast as it goes. Default 0.
        package var snapshotRateBytes = 0
        /// Pieces in which a snapshot is sent, each with its checksum. Default 256 KiB.
        package var snapshotChunkBytes = 256 << 10
        /// How much of a snapshot may be under way to a receiver that has not written it yet. Default 4 MiB: 100 MB/s at 40 ms.
        package var snapshotWindowBytes = 4 << 20
        /// A connection on which a snapshot makes no progress for so long is closed and dialled anew. Default 10 s.
        package var snapshotStallTimeout: Duration = .seconds(10)
        /// A snapshot that makes no progress for so long, over however many connections, has failed. Default 60 s.
        package var snapshotTimeout: Duration = .seconds(60)
        /// How long a receiver may take to check a whole snapshot and make it durable. Default 10 min: some 100 GB.
        package var snapshotFinishTimeout: Duration = .seconds(600)
        /// Committed entries that may wait to be applied on a node that calls itself ready. Default 10,000: a moment's work.
        package var maxReadyLag = 10_000
        /// A thread that is in one operation for so long lets systemd's watchdog end the node. Default 20 s: longer than a
        /// disk's worst hiccup, shorter than anybody's patience.
        package var stallLimit: Duration = .seconds(20)
        /// How long joining waits for a member that answers before the process ends with 69. Default 30 s.
        package var joinTimeout: Duration = .seconds(30)
        /// How long SIGTERM lets commands under way finish, once leadership is handed over. Default 5 s.
        package var shutdownTimeout: Duration = .seconds(5)
    }

    /// What is logged; always to standard error.
    package struct Log: Hashable, Sendable {
        package enum Format: String, CaseIterable, Hashable, Sendable {
            /// One line a person reads.
            case text
            /// One JSON object per line.
            case json
        }

        /// Default info.
        package var level: Logger.Level = .info
        /// Default text.
        package var format: Format = .text
    }

    /// For tests of the shipped daemon only.
    package struct Debug: Hashable, Sendable {
        /// Opens `ROOST.DEBUG`, which makes the node fail on purpose. Default false.
        package var faultInjection = false
        /// What is ordered at failpoints before anything else happens. Needs `faultInjection`. Default nothing.
        package var failpoints: [FailpointOrder] = []
    }
}
