import ArgumentParser
import RoostNode

/// A group of flags that are settings. The names, help and defaults come from `Setting.all`; the parser only wants each
/// to be declared once.
protocol SettingFlags: ParsableArguments {}

extension SettingFlags {
    /// The flags that were given, in the order of their declaration.
    var given: [EffectiveConfiguration.Flag] {
        Mirror(reflecting: self).children.compactMap { ($0.value as? SettingFlag)?.wrappedValue }
    }
}

/// One flag whose value is checked later, together with those from the file and the environment: a bad value is a
/// mistake in the configuration, not in the usage, wherever it stands.
typealias SettingFlag = Option<EffectiveConfiguration.Flag?>

extension Option where Value == EffectiveConfiguration.Flag? {
    /// - Parameter name: section and key of a setting, e.g. `raft.election_timeout`.
    init(_ name: String) {
        guard let setting = Setting.named(name) else {
            preconditionFailure("no setting \(name)")
        }
        let fallback = setting.defaultText.map { " (default: \($0))" } ?? ""
        self.init(
            name: .customLong(setting.flag),
            help: ArgumentHelp("\(setting.documentation)\(fallback)", valueName: setting.placeholder),
            transform: { EffectiveConfiguration.Flag(setting: setting, text: $0) })
    }
}

struct NodeFlags: SettingFlags {
    @SettingFlag("node.id") var id
    @SettingFlag("node.data_dir") var dataDir
    @SettingFlag("node.cluster_name") var clusterName
    @SettingFlag("node.peers") var peers
    @SettingFlag("node.join") var join
}

struct AddressFlags: SettingFlags {
    @SettingFlag("listen.redis") var listenRedis
    @SettingFlag("listen.peer") var listenPeer
    @SettingFlag("listen.http") var listenHTTP
    @SettingFlag("listen.protected_mode") var protectedMode
    @SettingFlag("advertise.redis") var advertiseRedis
    @SettingFlag("advertise.peer") var advertisePeer
    @SettingFlag("advertise.http") var advertiseHTTP
}

struct LogFlags: SettingFlags {
    @SettingFlag("log.level") var level
    @SettingFlag("log.format") var format
    @SettingFlag("debug.fault_injection") var faultInjection
    @SettingFlag("debug.failpoints") var failpoints
}

struct RaftFlags: SettingFlags {
    @SettingFlag("raft.election_timeout") var electionTimeout
    @SettingFlag("raft.heartbeat_interval") var heartbeatInterval
    @SettingFlag("raft.pre_vote") var preVote
    @SettingFlag("raft.check_quorum") var checkQuorum
    @SettingFlag("raft.max_append_bytes") var maxAppendBytes
    @SettingFlag("raft.max_inflight_messages") var maxInflightMessages
    @SettingFlag("raft.max_inflight_bytes") var maxInflightBytes
    @SettingFlag("raft.max_uncommitted_bytes") var maxUncommittedBytes
    @SettingFlag("raft.max_unapplied_bytes") var maxUnappliedBytes
    @SettingFlag("raft.max_apply_bytes") var maxApplyBytes
    @SettingFlag("raft.entry_cache_bytes") var entryCacheBytes
    @SettingFlag("raft.lease_reads") var leaseReads
    @SettingFlag("raft.max_clock_drift_percent") var maxClockDriftPercent
    @SettingFlag("raft.disk_stall_limit") var diskStallLimit
    @SettingFlag("raft.max_retained_entries") var maxRetainedEntries
    @SettingFlag("raft.max_retained_bytes") var maxRetainedBytes
}

struct StorageFlags: SettingFlags {
    @SettingFlag("storage.engine") var engine
    @SettingFlag("storage.state_write_buffer_bytes") var stateWriteBufferBytes
    @SettingFlag("storage.state_write_buffers") var stateWriteBuffers
    @SettingFlag("storage.log_write_buffer_bytes") var logWriteBufferBytes
    @SettingFlag("storage.log_write_buffers") var logWriteBuffers
    @SettingFlag("storage.block_cache_bytes") var blockCacheBytes
    @SettingFlag("storage.max_total_wal_bytes") var maxTotalWalBytes
    @SettingFlag("storage.background_jobs") var backgroundJobs
    @SettingFlag("storage.max_unflushed_log_bytes") var maxUnflushedLogBytes
    @SettingFlag("storage.max_unflushed_entries") var maxUnflushedEntries
    @SettingFlag("storage.max_unflushed_age") var maxUnflushedAge
    @SettingFlag("storage.min_aged_bytes") var minAgedBytes
    @SettingFlag("storage.truncation_slack_entries") var truncationSlackEntries
    @SettingFlag("storage.scrub_rate_bytes") var scrubRateBytes
    @SettingFlag("storage.scrub_interval") var scrubInterval
    @SettingFlag("storage.compare_rate_bytes") var compareRateBytes
    @SettingFlag("storage.compare_interval") var compareInterval
    @SettingFlag("storage.compare_slice_bytes") var compareSliceBytes
    @SettingFlag("storage.repair_from_peers") var repairFromPeers
    @SettingFlag("storage.max_repairs_per_hour") var maxRepairsPerHour
    @SettingFlag("storage.truncation_slack_bytes") var truncationSlackBytes
    @SettingFlag("storage.min_free_bytes") var minFreeBytes
    @SettingFlag("storage.critical_free_bytes") var criticalFreeBytes
    @SettingFlag("storage.reserve_bytes") var reserveBytes
}

struct LimitFlags: SettingFlags {
    @SettingFlag("limits.max_clients") var maxClients
    @SettingFlag("limits.max_key_bytes") var maxKeyBytes
    @SettingFlag("limits.max_value_bytes") var maxValueBytes
    @SettingFlag("limits.max_arguments") var maxArguments
    @SettingFlag("limits.max_request_bytes") var maxRequestBytes
    @SettingFlag("limits.max_pipelined_commands") var maxPipelinedCommands
    @SettingFlag("limits.max_pipelined_bytes") var maxPipelinedBytes
    @SettingFlag("limits.max_waiting_write_bytes") var maxWaitingWriteBytes
    @SettingFlag("limits.max_output_buffer_bytes") var maxOutputBufferBytes
    @SettingFlag("limits.max_batch_bytes") var maxBatchBytes
    @SettingFlag("limits.park_timeout") var parkTimeout
    @SettingFlag("limits.request_timeout") var requestTimeout
    @SettingFlag("limits.max_unsettled_bytes") var maxUnsettledBytes
    @SettingFlag("limits.resend_interval") var resendInterval
    @SettingFlag("limits.event_loops") var eventLoops
    @SettingFlag("limits.peer_max_frame_bytes") var peerMaxFrameBytes
    @SettingFlag("limits.peer_max_message_bytes") var peerMaxMessageBytes
    @SettingFlag("limits.peer_queue_bytes") var peerQueueBytes
    @SettingFlag("limits.peer_reconnect_max") var peerReconnectMax
    @SettingFlag("limits.snapshot_rate_bytes") var snapshotRateBytes
    @SettingFlag("limits.snapshot_chunk_bytes") var snapshotChunkBytes
    @SettingFlag("limits.snapshot_window_bytes") var snapshotWindowBytes
    @SettingFlag("limits.snapshot_stall_timeout") var snapshotStallTimeout
    @SettingFlag("limits.snapshot_timeout") var snapshotTimeout
    @SettingFlag("limits.snapshot_finish_timeout") var snapshotFinishTimeout
    @SettingFlag("limits.max_ready_lag") var maxReadyLag
    @SettingFlag("limits.stall_limit") var stallLimit
    @SettingFlag("limits.join_timeout") var joinTimeout
    @SettingFlag("limits.shutdown_timeout") var shutdownTimeout
}
