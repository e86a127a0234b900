import AdminHTTP
import PeerTransport
import Raft
import RaftStorage
import RedisServer

/// The text of `/metrics`. Names, types and meanings: docs/operating.md.
struct MetricsPage {
    let view: NodeView

    func text() -> MetricsText {
        var text = MetricsText()
        process(&text)
        raft(&text)
        clients(&text)
        storage(&text)
        comparison(&text)
        disk(&text)
        peers(&text)
        return text
    }

    private func process(_ text: inout MetricsText) {
        text.gauge("roost_uptime_seconds", "Time since the process started.", view.uptime.components.seconds)
        text.gauge("roost_resident_memory_bytes", "Resident memory.", ProcessStatistics.residentBytes())
        text.gauge("roost_cpu_seconds", "User and system time since the start.", ProcessStatistics.processorSeconds())
        text.gauge("roost_ready", "1 if a command could be served now.", view.obstacles().isEmpty ? 1 : 0)
    }

    private func raft(_ text: inout MetricsText) {
        let metrics = view.metrics
        if let core = view.board.picture?.core {
            text.gauge("roost_raft_has_leader", "1 if a leader is known.", core.leader == nil ? 0 : 1)
            text.gauge("roost_raft_is_leader", "1 on the leader.", core.role == .leader ? 1 : 0)
            text.gauge("roost_raft_term", "Current term.", core.term.rawValue)
            text.gauge("roost_raft_commit_index", "Highest committed index.", core.commitIndex.rawValue)
            text.gauge("roost_raft_applied_index", "Highest applied index.", core.appliedIndex.rawValue)
            text.gauge("roost_raft_last_index", "Last index of the log.", core.lastIndex.rawValue)
            text.gauge("roost_raft_first_index", "First index of the log.", core.firstIndex.rawValue)
            text.gauge("roost_raft_voters", "Members that count.", core.membership.voters.count)
            text.gauge("roost_raft_learners", "Members that do not count yet.", core.membership.learners.count)
        }
        text.counter(
            "roost_raft_role_changes_total", "Changes of role, term or leader seen.",
            metrics.leaderChanges.current)
        text.counter(
            "roost_raft_proposed_entries_total", "Entries proposed here.", metrics.proposedBlocks.current)
        text.counter(
            "roost_raft_proposed_segments_total", "Segments of clients' commands proposed here.",
            metrics.proposedSegments.current)
        text.counter(
            "roost_raft_forwarded_segments_total", "Segments sent to the leader.",
            metrics.forwardedSegments.current)
        text.counter(
            "roost_raft_refused_forwards_total",
            "Segments of others not taken: sent twice, out of order or of another term.",
            metrics.refusedForwards.current)
        text.counter("roost_raft_read_rounds_total", "Read indexes asked for.", metrics.readRounds.current)
        text.histogram(
            "roost_raft_log_sync_seconds", "Time of one synced write of the log.", metrics.logSync.snapshot())
        text.histogram("roost_raft_apply_seconds", "Time to apply one page of entries.", metrics.apply.snapshot())
    }

    private func clients(_ text: inout MetricsText) {
        text.counter(
            "roost_commands_settled_total", "Write commands of this node's clients that were applied.",
            view.metrics.settledCommands.current)
        text.counter(
            "roost_removals_total", "Keys removed, and removals of all keys.", view.metrics.removals.current)
        text.counter(
            "roost_segments_in_doubt_total", "Segments answered INDOUBT.", view.metrics.inDoubt.current)
        text.counter(
            "roost_segments_expired_total", "Segments answered LOADING or BUSY: certainly not applied.",
            view.metrics.parkedExpired.current)
        guard let redis = view.redisMetrics else { return }
        text.gauge("roost_redis_connected_clients", "Open connections.", redis.connectedClients.current)
        text.counter(
            "roost_redis_connections_total", "Connections that came, refused ones too.",
            redis.connectionsReceived.current)
        text.counter(
            "roost_redis_connections_refused_total", "Connections over max-clients.",
            redis.connectionsRefused.current)
        text.counter(
            "roost_redis_protocol_errors_total", "Requests that are none.", redis.protocolErrors.current)
        text.counter(
            "roost_redis_busy_writes_total", "Writes refused because max_waiting_write_bytes wait.",
            redis.busyWrites.current)
        text.counter("roost_redis_read_commands_total", "Reads taken.", redis.readCommands.current)
        text.counter("roost_redis_write_commands_total", "Writes taken.", redis.writeCommands.current)
    }

    private func storage(_ text: inout MetricsText) {
        guard let store = view.storeStatistics else { return }
        text.gauge("roost_storage_wal_bytes", "Files of the write-ahead log.", store.walBytes)
        text.gauge("roost_storage_state_memtable_bytes", "State not flushed yet.", store.stateMemtableBytes)
        text.gauge("roost_storage_log_memtable_bytes", "Log in memory.", store.logMemtableBytes)
        text.gauge("roost_storage_state_table_bytes", "SST files of the state.", store.stateTableBytes)
        text.gauge("roost_storage_log_table_bytes", "SST files of the log; near 0 is good.", store.logTableBytes)
        text.gauge("roost_storage_pending_compaction_bytes", "Behind with compaction.", store.pendingCompactionBytes)
        text.gauge(
            "roost_storage_state_immutable_memtables", "Full memtables of the state that wait for their flush.",
            store.stateImmutableMemtables)
        text.gauge(
            "roost_storage_log_immutable_memtables", "Full memtables of the log that wait for their flush.",
            store.logImmutableMemtables)
        unflushed(&text)
        text.gauge("roost_storage_background_errors", "Background errors.", store.backgroundErrors)
        text.gauge("roost_storage_write_stopped", "1 if RocksDB takes no writes.", store.isWriteStopped ? 1 : 0)
        text.gauge(
            "roost_storage_delayed_write_rate_bytes", "Throttled to so much a second; 0: not.", store.delayedWriteRate)
        text.gauge("roost_storage_block_cache_bytes", "Blocks in memory.", store.blockCacheBytes)
        text.gauge("roost_storage_estimated_keys", "Keys of the state, estimated.", store.estimatedStateKeys)
        text.counter(
            "roost_storage_scrubbed_bytes_total", "Read in the background and found right.",
            view.metrics.scrubbedBytes.current)
        text.counter(
            "roost_storage_scrub_passes_total", "Times that every file was read so.",
            view.metrics.scrubPasses.current)
        text.gauge(
            "roost_storage_scrub_last_pass_seconds",
            "When the last such pass ended, in seconds since 1970; 0: none yet.",
            view.metrics.lastScrubSeconds.current)
    }

    private func unflushed(_ text: inout MetricsText) {
        let unflushed = view.metrics.unflushed
        text.gauge(
            "roost_storage_unflushed_entries", "Applied and not durable in the state: a restart applies them again.",
            unflushed.entries)
        text.gauge("roost_storage_unflushed_bytes", "Their payloads.", unflushed.bytes)
        let age = unflushed.oldest.map { SystemClock.monotonic().since($0) / .seconds(1) }
        text.gauge("roost_storage_unflushed_seconds", "Since the oldest of them was applied; 0: none.", age ?? 0)
    }

    private func comparison(_ text: inout MetricsText) {
        let metrics = view.metrics
        text.counter(
            "roost_compare_bytes_total", "Of the state, read to compare replicas.",
            metrics.comparedBytes.current)
        text.counter(
            "roost_compare_rounds_total", "Times that a part of the state was compared, as the leader.",
            metrics.comparisonRounds.current)
        text.counter(
            "roost_compare_passes_total", "Times that all of it was compared and equal, as the leader.",
            metrics.comparisonPasses.current)
        text.gauge(
            "roost_compare_last_pass_seconds",
            "When the last such pass ended, in seconds since 1970; 0: none yet, as the leader.",
            metrics.lastComparisonSeconds.current)
        text.counter(
            "roost_compare_differences_total", "Differences found, as the leader.", metrics.differences.current)
        text.gauge(
            "roost_compare_replicas_differ", "1 while the last word is that replicas differ.",
            view.alarms.sentence(.difference) == nil ? 0 : 1)
        text.gauge("roost_alarms", "What needs a look although the node serves.", view.alarms.sentences.count)
    }

    private func disk(_ text: inout MetricsText) {
        text.counter(
            "roost_writes_refused_no_space_total", "Writes answered NOSPACE.", view.space.refused.current)
        text.gauge(
            "roost_writes_admitted", "What the cluster takes: 0 all writes, 1 those that free room, 2 none.",
            view.space.admission.rawValue)
        guard let picture = view.space.picture else { return }
        text.gauge("roost_disk_level", "0 ample, 1 low, 2 full.", picture.level.rawValue)
        text.gauge("roost_disk_free_bytes", "Free on the data's file system.", picture.reading.freeBytes)
        text.gauge("roost_disk_owed_bytes", "State in memory, still to be written.", picture.reading.owedBytes)
        text.gauge("roost_disk_capacity_bytes", "Size of the data's file system.", picture.reading.capacityBytes)
        text.gauge("roost_disk_min_free_bytes", "Below it the disk is low.", picture.limits.minFree)
        text.gauge("roost_disk_critical_free_bytes", "Below it the disk is full.", picture.limits.criticalFree)
        text.gauge("roost_disk_reserve_bytes", "Held for a start on a full disk.", picture.reserveBytes)
        text.gauge(
            "roost_disk_before_repair_bytes", "Held by the database from before a repair.", picture.copyBytes)
    }

    private func peers(_ text: inout MetricsText) {
        guard let transport = view.transportStatistics else { return }
        let core = view.board.picture?.core
        for peer in transport.peers {
            let labels = [("peer", "\(peer.node)")]
            text.gauge("roost_peer_connected", "1 if messages can be sent.", peer.isConnected ? 1 : 0, labels: labels)
            text.gauge("roost_peer_queued_bytes", "Waiting to be sent.", peer.queuedBytes, labels: labels)
            text.counter("roost_peer_sent_bytes_total", "Sent.", peer.sentBytes, labels: labels)
            text.counter("roost_peer_received_bytes_total", "Received.", peer.receivedBytes, labels: labels)
            text.counter(
                "roost_peer_dropped_messages_total", "Not sent: queue full or link down.",
                peer.droppedByLimit + peer.droppedByDisconnect, labels: labels)
            if let progress = core?.peers.first(where: { $0.node == peer.node }), let core {
                text.gauge(
                    "roost_peer_lag_entries", "Entries of the leader's log that are not on the peer's disk.",
                    core.lastIndex.distance(from: progress.matchIndex), labels: labels)
            }
        }
    }
}
