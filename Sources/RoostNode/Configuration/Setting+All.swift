extension Setting {
    /// The sections in the order in which they are printed, and what each is about.
    package static let sections: [(name: String, documentation: String)] = [
        ("node", "Who this node is and with whom it founds a cluster."),
        ("listen", "Where this node listens. Port 0 picks a free one and logs it."),
        ("advertise", "What others are told to dial, where that differs from [listen]: translated addresses, 0.0.0.0."),
        ("raft", "Consensus: timing, and how much may be under way."),
        ("storage", "Where state and log are kept, and how much memory and restart time that may take."),
        ("limits", "What clients and peers may ask of this node. Reaching a limit gives a clear answer."),
        ("log", "What is written to standard error."),
        ("debug", "For tests of the daemon only."),
    ]

    /// Every setting, by section.
    package static let all: [Setting] = node + listen + advertise + raft + storage + limits + log + debug

    /// The setting of that section and key, e.g. `raft.election_timeout`.
    package static func named(_ name: String) -> Setting? { byName[name] }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static let node = [
        Setting(
            "node", "id", \.node.id, .nodeID, flag: "node-id",
            "Names this node for ever. An id is never reused: a node that lost its disk comes back under a new one."),
        Setting(
            "node", "data_dir", \.node.dataDir, .path,
            "Where everything is kept. Made if it is missing; belongs to one node of one cluster."),
        Setting(
            "node", "cluster_name", \.node.clusterName, .name,
            "Part of the cluster's identity: clusters with different names refuse each other."),
        Setting(
            "node", "peers", \.node.peers, .peers,
            "The founding members by id, this node included, and where this node dials them. Empty: a cluster of one."),
        Setting(
            "node", "join", \.node.join, .advertisedAddress,
            """
            The peer address of any member of a running cluster: the node gets an id there and joins it. Ignored once \
            the data directory belongs to a cluster.
            """),
    ]

    private static let listen = [
        Setting("listen", "redis", \.listen.redis, .listenAddress, flag: "listen-redis", "The door for Redis clients."),
        Setting("listen", "peer", \.listen.peer, .listenAddress, flag: "listen-peer", "The door for the other nodes."),
        Setting(
            "listen", "http", \.listen.http, .listenAddress, flag: "listen-http",
            "The door for metrics, health checks and status."),
        Setting(
            "listen", "protected_mode", \.listen.protectedMode, .boolean,
            "Refuse to listen beyond loopback while nothing authenticates clients. Say no only behind a firewall."),
    ]

    private static let advertise = [
        Setting(
            "advertise", "redis", \.advertise.redis, .advertisedAddress, flag: "advertise-redis",
            "Where clients reach this node. Not set: the address of listen.redis."),
        Setting(
            "advertise", "peer", \.advertise.peer, .advertisedAddress, flag: "advertise-peer",
            "Where the other nodes reach this node. Not set: the address of listen.peer."),
        Setting(
            "advertise", "http", \.advertise.http, .advertisedAddress, flag: "advertise-http",
            "Where operators reach this node. Not set: the address of listen.http."),
    ]

    private static let raft = [
        Setting(
            "raft", "election_timeout", \.raft.electionTimeout, .duration,
            """
            A follower that hears nothing for this long, plus up to as much again at random, starts an election. \
            Several heartbeats and a slow fsync must fit in.
            """),
        Setting(
            "raft", "heartbeat_interval", \.raft.heartbeatInterval, .duration,
            "How often a leader shows that it is alive. At most a third of the election timeout."),
        Setting(
            "raft", "pre_vote", \.raft.preVote, .boolean,
            "Ask whether an election could be won before raising the term: a node that was cut off then disturbs nobody."
        ),
        Setting(
            "raft", "check_quorum", \.raft.checkQuorum, .boolean,
            "A leader that does not hear from a majority for an election timeout steps down."),
        Setting(
            "raft", "max_append_bytes", \.raft.maxAppendBytes, .bytes(),
            "Entries in one append message. One entry always goes."),
        Setting(
            "raft", "max_inflight_messages", \.raft.maxInflightMessages, .count(1...65_536),
            "Append messages under way to one follower."),
        Setting(
            "raft", "max_inflight_bytes", \.raft.maxInflightBytes, .bytes(),
            "Entries under way to one follower: 8MiB at 100 ms round trip is 80 MB/s."),
        Setting(
            "raft", "max_uncommitted_bytes", \.raft.maxUncommittedBytes, .bytes(),
            "While this many bytes wait for a majority, further writes wait: BUSY after park_timeout."),
        Setting(
            "raft", "max_unapplied_bytes", \.raft.maxUnappliedBytes, .bytes(),
            "While this many bytes are committed and not applied, a node takes no entries and no writes."),
        Setting(
            "raft", "max_apply_bytes", \.raft.maxApplyBytes, .bytes(),
            "Committed entries handed to the state machine at a time."),
        Setting(
            "raft", "entry_cache_bytes", \.raft.entryCacheBytes, .bytes(),
            "Recent entries kept in memory for followers that lag."),
        Setting(
            "raft", "lease_reads", \.raft.leaseReads, .boolean,
            "Answer reads without asking a majority, relying on clocks. Must be the same on all nodes."),
        Setting(
            "raft", "max_clock_drift_percent", \.raft.maxClockDriftPercent, .count(0...50),
            "How much faster or slower than real time any node's clock may run; only lease_reads relies on it."),
        Setting(
            "raft", "disk_stall_limit", \.raft.diskStallLimit, .duration,
            "A leader whose disk has not finished a write for this long hands over, if a majority is ahead of it."),
        Setting(
            "raft", "max_retained_entries", \.raft.maxRetainedEntries, .count(1...1_000_000_000),
            "Entries that the log keeps for a member that is behind or away; further behind, it gets a snapshot."),
        Setting(
            "raft", "max_retained_bytes", \.raft.maxRetainedBytes, .bytes(from: 64 << 10),
            "The same, in bytes."),
    ]

    private static let storage = [
        Setting(
            "storage", "engine", \.storage.engine, .choice, flag: "storage",
            "rocksdb keeps everything on disk; memory keeps nothing across a restart and is for experiments only."),
        Setting(
            "storage", "state_write_buffer_bytes", \.storage.stateWriteBufferBytes, .bytes(from: 64 << 10),
            "One memtable of the state."),
        Setting(
            "storage", "state_write_buffers", \.storage.stateWriteBuffers, .count(2...64),
            "Memtables of the state before writes stall."),
        Setting(
            "storage", "log_write_buffer_bytes", \.storage.logWriteBufferBytes, .bytes(from: 64 << 10),
            "One memtable of the log. Large, because most entries are truncated before they would be flushed."),
        Setting(
            "storage", "log_write_buffers", \.storage.logWriteBuffers, .count(2...64),
            "Memtables of the log before writes stall."),
        Setting(
            "storage", "block_cache_bytes", \.storage.blockCacheBytes, .bytes(from: 64 << 10),
            "Cache of uncompressed blocks, shared by state and log."),
        Setting(
            "storage", "max_total_wal_bytes", \.storage.maxTotalWalBytes, .bytes(from: 1 << 20),
            "Size of all write-ahead logs at which the oldest memtables are flushed."),
        Setting(
            "storage", "background_jobs", \.storage.backgroundJobs, .count(1...64),
            "Threads for flushes and compactions."),
        Setting(
            "storage", "max_unflushed_log_bytes", \.storage.maxUnflushedLogBytes, .bytes(from: 64 << 10),
            "Log that a restart may have to apply again before a flush of the state is asked for."),
        Setting(
            "storage", "max_unflushed_entries", \.storage.maxUnflushedEntries, .count(1...1_000_000_000),
            "The same, as a number of entries."),
        Setting(
            "storage", "max_unflushed_age", \.storage.maxUnflushedAge, .duration,
            "The same, as an age."),
        Setting(
            "storage", "min_aged_bytes", \.storage.minAgedBytes, .bytes(from: 0),
            "Less log than this is not flushed for its age."),
        Setting(
            "storage", "truncation_slack_entries", \.storage.truncationSlackEntries, .count(0...1_000_000_000),
            "Applied entries kept in the log for followers that lag."),
        Setting(
            "storage", "truncation_slack_bytes", \.storage.truncationSlackBytes, .bytes(from: 64 << 10),
            "The same, in bytes; the lesser of the two counts."),
        Setting(
            "storage", "scrub_rate_bytes", \.storage.scrubRateBytes, .bytes(from: 0),
            "All files are read in the background, so much a second, to find damage before it is needed. 0: never."),
        Setting(
            "storage", "scrub_interval", \.storage.scrubInterval, .duration,
            "From the end of such a pass to the next. The first begins a minute after the start."),
        Setting(
            "storage", "compare_rate_bytes", \.storage.compareRateBytes, .bytes(from: 0),
            """
            The leader has all nodes compare their states at the same indexes; each reads so much of its own a second. 0: \
            this node, as a leader, asks for none.
            """),
        Setting(
            "storage", "compare_interval", \.storage.compareInterval, .duration,
            "From the end of such a pass to the next. The first begins a minute after a leader's election, or earlier."),
        Setting(
            "storage", "compare_slice_bytes", \.storage.compareSliceBytes, .bytes(from: 64 << 10),
            "How much is compared at one index. While it is read, nothing can be freed that was replaced since."),
        Setting(
            "storage", "repair_from_peers", \.storage.repairFromPeers, .boolean,
            """
            A node that finds its data damaged gives it up and fetches it from the others, if they are a majority without \
            it; what was damaged is kept until then. no: it stops with 65 and waits for an operator.
            """),
        Setting(
            "storage", "max_repairs_per_hour", \.storage.maxRepairsPerHour, .count(1...1_000),
            "More such repairs within an hour end the node with 65: its disk is dying."),
        Setting(
            "storage", "min_free_bytes", \.storage.minFreeBytes, .byteLimit,
            """
            Free space on the data directory's file system below which writes that need room are refused (NOSPACE), while \
            reads and deletions go on. auto: 5 % of it, at most 2GiB.
            """),
        Setting(
            "storage", "critical_free_bytes", \.storage.criticalFreeBytes, .byteLimit,
            "Free space below which this node takes no entries at all. auto: a quarter of min_free_bytes."),
        Setting(
            "storage", "reserve_bytes", \.storage.reserveBytes, .byteLimit,
            """
            Size of a file that holds room for a start on a full disk. auto: half of min_free_bytes, at most 1GiB. 0: none.
            """),
    ]

    private static let limits = [
        Setting("limits", "max_clients", \.limits.maxClients, .count(1...1_000_000), "Connections of Redis clients."),
        Setting(
            "limits", "max_key_bytes", \.limits.maxKeyBytes, .bytes(), "The longest key."),
        Setting(
            "limits", "max_value_bytes", \.limits.maxValueBytes, .bytes(), "The longest value."),
        Setting(
            "limits", "max_arguments", \.limits.maxArguments, .count(8...16_777_216), "Arguments of one command."),
        Setting(
            "limits", "max_request_bytes", \.limits.maxRequestBytes, .bytes(from: 1 << 10),
            "One command with all its arguments."),
        Setting(
            "limits", "max_pipelined_commands", \.limits.maxPipelinedCommands, .count(1...1_000_000),
            "Commands of one connection that wait for their answers; more are left unread."),
        Setting(
            "limits", "max_pipelined_bytes", \.limits.maxPipelinedBytes, .bytes(from: 64 << 10),
            "What waits of one connection's commands and replies; more is left unread. One command always goes."),
        Setting(
            "limits", "max_waiting_write_bytes", \.limits.maxWaitingWriteBytes, .bytes(from: 1 << 20),
            "Writes of all clients that have no outcome yet. Beyond it, further ones are answered -BUSY."),
        Setting(
            "limits", "max_output_buffer_bytes", \.limits.maxOutputBufferBytes, .bytes(from: 64 << 10),
            "The longest reply of MGET. While half of it, or 1 MiB, waits for a client to read, its commands wait."),
        Setting(
            "limits", "max_batch_bytes", \.limits.maxBatchBytes, .bytes(),
            "Commands of many clients that share one entry of the log. One command always goes."),
        Setting(
            "limits", "park_timeout", \.limits.parkTimeout, .duration,
            "How long a command waits for a leader before it is answered -LOADING."),
        Setting(
            "limits", "request_timeout", \.limits.requestTimeout, .duration,
            "How long a command waits for its outcome before it is answered -INDOUBT."),
        Setting(
            "limits", "max_unsettled_bytes", \.limits.maxUnsettledBytes, .bytes(from: 64 << 10),
            "Writes of this node's clients that are sent to the leader and not settled. One batch always goes."),
        Setting(
            "limits", "resend_interval", \.limits.resendInterval, .duration,
            "What a leader was sent and did not settle for this long is sent again, then ever more rarely."),
        Setting(
            "limits", "event_loops", \.limits.eventLoops, .count(0...1_024),
            "Threads that serve clients. 0: half of the processors, at least one."),
        Setting(
            "limits", "peer_max_frame_bytes", \.limits.peerMaxFrameBytes, .bytes(from: 1 << 10),
            "Piece in which a long message to a peer is cut, so that heartbeats go between."),
        Setting(
            "limits", "peer_max_message_bytes", \.limits.peerMaxMessageBytes, .bytes(from: 1 << 10),
            "The longest message a peer may send: one entry with the longest request must fit in."),
        Setting(
            "limits", "peer_queue_bytes", \.limits.peerQueueBytes, .bytes(from: 1 << 10),
            "Queued to one peer before bulk is dropped; Raft sends it again."),
        Setting(
            "limits", "peer_reconnect_max", \.limits.peerReconnectMax, .duration,
            "The longest pause between attempts to reach a peer."),
        Setting(
            "limits", "snapshot_rate_bytes", \.limits.snapshotRateBytes, .bytes(from: 0),
            "Bytes a second that a snapshot may take on its way to one member. 0: as fast as it goes."),
        Setting(
            "limits", "snapshot_chunk_bytes", \.limits.snapshotChunkBytes, .bytes(from: 4 << 10),
            "Piece in which a snapshot is sent, with a checksum of its own."),
        Setting(
            "limits", "snapshot_window_bytes", \.limits.snapshotWindowBytes, .bytes(from: 4 << 10),
            "How much of a snapshot may be under way to a receiver that has not written it yet."),
        Setting(
            "limits", "snapshot_stall_timeout", \.limits.snapshotStallTimeout, .duration,
            "A connection on which a snapshot makes no progress for so long is closed and dialled anew."),
        Setting(
            "limits", "snapshot_timeout", \.limits.snapshotTimeout, .duration,
            "A snapshot that makes no progress for so long, over however many connections, has failed."),
        Setting(
            "limits", "snapshot_finish_timeout", \.limits.snapshotFinishTimeout, .duration,
            "How long a receiver may take to check a whole snapshot and make it durable."),
        Setting(
            "limits", "max_ready_lag", \.limits.maxReadyLag, .count(0...1_000_000_000),
            "Committed entries that may wait to be applied on a node that calls itself ready (/readyz)."),
        Setting(
            "limits", "stall_limit", \.limits.stallLimit, .duration,
            "A thread of the node that is in one operation for so long lets systemd's watchdog end the node."),
        Setting(
            "limits", "join_timeout", \.limits.joinTimeout, .duration,
            "How long a node that joins looks for a member that takes it before it ends with exit code 69."),
        Setting(
            "limits", "shutdown_timeout", \.limits.shutdownTimeout, .duration,
            "How long a stop lets commands under way finish. After a second SIGTERM the process ends at this time."),
    ]

    private static let log = [
        Setting("log", "level", \.log.level, .choice, flag: "log-level", "The least important level that is logged."),
        Setting(
            "log", "format", \.log.format, .choice, flag: "log-format",
            "text is for people, json has one object per line."),
    ]

    private static let debug = [
        Setting(
            "debug", "fault_injection", \.debug.faultInjection, .boolean,
            "Open ROOST.DEBUG, which makes this node fail on purpose."),
        Setting(
            "debug", "failpoints", \.debug.failpoints, .failpoints,
            """
            What ROOST.DEBUG FAILPOINT SET would order, from the very start of the node on: SITE ACTION [after N], with \
            commas between. Needs fault_injection.
            """),
    ]
}
