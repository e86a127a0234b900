import Raft
import Testing

@testable import RoostNode

@Suite("Configuration: sources, names, printing")
struct ConfigurationTests {
    /// A value for every setting that is not its default.
    static let changes: [String: String] = [
        "node.id": "2", "node.data_dir": "/srv/a \"b\"\\c", "node.cluster_name": "north-1",
        "node.peers": "1=10.0.0.1:7400,2=[fe80::1]:7400,10=c.example:1", "listen.redis": "10.0.0.2:1",
        "listen.peer": "[::]:0", "listen.http": "0.0.0.0:65535", "listen.protected_mode": "no",
        "advertise.redis": "a.example:1", "advertise.peer": "b.example:2", "advertise.http": "c.example:3",
        "raft.election_timeout": "1s", "raft.heartbeat_interval": "1500us", "raft.pre_vote": "no",
        "raft.check_quorum": "no", "raft.max_append_bytes": "1000", "raft.max_inflight_messages": "3",
        "raft.max_inflight_bytes": "1MiB", "raft.max_uncommitted_bytes": "5MiB", "raft.max_unapplied_bytes": "7MiB",
        "raft.max_apply_bytes": "1B",
        "raft.entry_cache_bytes": "1GiB", "raft.lease_reads": "yes", "raft.max_clock_drift_percent": "11",
        "raft.disk_stall_limit": "3s", "raft.max_retained_entries": "9", "raft.max_retained_bytes": "2GiB",
        "storage.engine": "memory", "storage.state_write_buffer_bytes": "64KiB",
        "storage.state_write_buffers": "2", "storage.log_write_buffer_bytes": "1MiB", "storage.log_write_buffers": "64",
        "storage.block_cache_bytes": "1024GiB", "storage.max_total_wal_bytes": "1048577",
        "storage.background_jobs": "1", "storage.max_unflushed_log_bytes": "65KiB",
        "storage.max_unflushed_entries": "1", "storage.max_unflushed_age": "24h",
        "storage.min_aged_bytes": "0B", "limits.max_ready_lag": "0", "limits.stall_limit": "9s",
        "storage.scrub_rate_bytes": "0B", "storage.scrub_interval": "7s", "storage.truncation_slack_entries": "0",
        "storage.compare_rate_bytes": "1MiB", "storage.compare_interval": "3m",
        "storage.compare_slice_bytes": "65KiB", "storage.repair_from_peers": "no",
        "storage.max_repairs_per_hour": "7", "storage.min_free_bytes": "3GiB",
        "storage.truncation_slack_bytes": "66KiB",
        "storage.critical_free_bytes": "1MiB", "storage.reserve_bytes": "0B", "limits.max_clients": "1",
        "limits.max_key_bytes": "1",
        "limits.max_value_bytes": "2", "limits.max_arguments": "8", "limits.max_request_bytes": "1025",
        "limits.max_pipelined_commands": "1", "limits.max_pipelined_bytes": "65KiB",
        "limits.max_waiting_write_bytes": "2MiB", "limits.max_output_buffer_bytes": "1MiB",
        "limits.max_batch_bytes": "1",
        "limits.park_timeout": "1ms", "limits.request_timeout": "90s", "limits.event_loops": "7",
        "limits.max_unsettled_bytes": "1MiB", "limits.resend_interval": "2s",
        "limits.peer_max_frame_bytes": "1KiB", "limits.peer_max_message_bytes": "1GiB",
        "limits.peer_queue_bytes": "1025", "limits.peer_reconnect_max": "61s", "limits.shutdown_timeout": "1h",
        "limits.snapshot_rate_bytes": "1MiB", "limits.snapshot_chunk_bytes": "64KiB", "limits.join_timeout": "7s",
        "limits.snapshot_window_bytes": "5MiB", "limits.snapshot_stall_timeout": "11s",
        "limits.snapshot_timeout": "61s",
        "limits.snapshot_finish_timeout": "1h",
        "log.level": "trace", "log.format": "json", "node.join": "10.0.0.9:7400", "debug.fault_injection": "yes",
        "debug.failpoints": "log-after-sync crash after 3, flush-before pause 5ms",
    ]

    /// All of them that fit together: a node either founds a cluster or joins one, and leases need CheckQuorum.
    static let changedFlags = changes.filter { !["node.join", "raft.lease_reads"].contains($0.key) }
        .compactMap { name, text in
            Setting.named(name).map { EffectiveConfiguration.Flag(setting: $0, text: text) }
        }

    @Test func `the defaults are a valid configuration`() throws {
        let effective = try EffectiveConfiguration()
        #expect(effective.configuration == NodeConfiguration())
        #expect(effective.sources.isEmpty)
    }

    @Test func `what is printed parses back to the same configuration`() throws {
        for flags in [[], Self.changedFlags] {
            let effective = try EffectiveConfiguration(flags: flags)
            let file = ConfigurationFile(path: "printed.toml", text: ConfigurationPrinter.toml(effective))
            #expect(file.problems.isEmpty)
            #expect(try EffectiveConfiguration(file: file).configuration == effective.configuration)
        }
    }

    @Test func `every setting can be changed, and every change reaches a field of its own`() throws {
        #expect(Set(Self.changes.keys) == Set(Setting.all.map(\.name)))
        for (name, text) in Self.changes {
            let setting = try #require(Setting.named(name))
            var configuration = NodeConfiguration()
            #expect(setting.store(text, &configuration), "\(name) = \(text)")
            let changed = Setting.all.filter { $0.literal(configuration) != $0.defaultLiteral }
            #expect(changed.map(\.name) == [name])
        }
    }

    @Test func `every default can be written in the way that it is printed`() throws {
        for setting in Setting.all {
            guard let literal = setting.defaultLiteral else { continue }
            let file = ConfigurationFile(path: "x", text: "[\(setting.section)]\n\(setting.key) = \(literal)\n")
            #expect(file.problems.isEmpty && file.assignments.count == 1, "\(setting.name) = \(literal)")
            let text = try #require(file.assignments.first).text
            var configuration = NodeConfiguration()
            #expect(setting.store(text, &configuration), "\(setting.name) = \(literal)")
            #expect(configuration == NodeConfiguration())
        }
    }

    @Test func `names are unique in every source, and sections are known`() {
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.flag)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.environmentName)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.section)) == Set(Setting.sections.map(\.name)))
        for setting in Setting.all {
            #expect(setting.flag.allSatisfy { $0.isLowercase || $0 == "-" }, "\(setting.flag)")
        }
    }

    @Test(arguments: [
        ("node.id", "node-id", "ROOST_NODE_ID"), ("node.data_dir", "data-dir", "ROOST_NODE_DATA_DIR"),
        ("node.cluster_name", "cluster-name", "ROOST_NODE_CLUSTER_NAME"), ("node.peers", "peers", "ROOST_NODE_PEERS"),
        ("node.join", "join", "ROOST_NODE_JOIN"),
        ("listen.redis", "listen-redis", "ROOST_LISTEN_REDIS"), ("listen.peer", "listen-peer", "ROOST_LISTEN_PEER"),
        ("listen.http", "listen-http", "ROOST_LISTEN_HTTP"),
        ("listen.protected_mode", "protected-mode", "ROOST_LISTEN_PROTECTED_MODE"),
        ("advertise.redis", "advertise-redis", "ROOST_ADVERTISE_REDIS"),
        ("advertise.peer", "advertise-peer", "ROOST_ADVERTISE_PEER"),
        ("storage.engine", "storage", "ROOST_STORAGE_ENGINE"),
        ("log.level", "log-level", "ROOST_LOG_LEVEL"), ("log.format", "log-format", "ROOST_LOG_FORMAT"),
        ("raft.election_timeout", "election-timeout", "ROOST_RAFT_ELECTION_TIMEOUT"),
        ("limits.park_timeout", "park-timeout", "ROOST_LIMITS_PARK_TIMEOUT"),
    ]) func `names that scripts rely on`(name: String, flag: String, variable: String) throws {
        let setting = try #require(Setting.named(name))
        #expect(setting.flag == flag)
        #expect(setting.environmentName == variable)
    }

    @Test func `flags win over the environment, the environment over the file, the file over the defaults`() throws {
        let file = ConfigurationFile(
            path: "f.toml",
            text: """
                [limits]
                max_clients = 1
                max_arguments = 100
                event_loops = 1
                """)
        let effective = try EffectiveConfiguration(
            flags: [.init(setting: #require(Setting.named("limits.max_clients")), text: "3")],
            environment: ["ROOST_LIMITS_MAX_CLIENTS": "2", "ROOST_LIMITS_MAX_ARGUMENTS": "200", "HOME": "/"], file: file
        )
        #expect(effective.configuration.limits.maxClients == 3)
        #expect(effective.configuration.limits.maxArguments == 200)
        #expect(effective.configuration.limits.eventLoops == 1)
        #expect(effective.configuration.limits.maxKeyBytes == 64 << 10)
        #expect(
            effective.sources == [
                "limits.max_clients": .flag("max-clients"),
                "limits.max_arguments": .environment("ROOST_LIMITS_MAX_ARGUMENTS"),
                "limits.event_loops": .file(path: "f.toml", line: 4),
            ])
    }

    @Test func `printing says where a value came from`() throws {
        let effective = try EffectiveConfiguration(environment: ["ROOST_LOG_FORMAT": "json"])
        #expect(
            ConfigurationPrinter.toml(effective).contains(
                "default \"text\"; here from ROOST_LOG_FORMAT.\nformat = \"json\"\n"))
    }

    @Test func `members can be a table of their own, or inline`() throws {
        let expected: [UInt64: HostPort] = [1: .init(host: "a", port: 1), 2: .init(host: "b", port: 2)]
        for text in [
            "[node]\npeers = \"1=a:1,2=b:2\"", "[node]\npeers = { 1 = \"a:1\", 2 = \"b:2\" }",
            "[node.peers]\n1 = \"a:1\"\n2 = \"b:2\"", "node.peers.1 = \"a:1\"\nnode.peers.2 = \"b:2\"",
        ] {
            let file = ConfigurationFile(path: "x", text: text)
            #expect(try EffectiveConfiguration(file: file).configuration.node.peers == expected)
        }
    }

    @Test func `the defaults of consensus are those of the core`() {
        let node = NodeConfiguration.Raft()
        let core = Raft.Configuration(group: GroupID(1), node: NodeID(1), seed: 0)
        #expect(node.electionTimeout == core.electionTimeout)
        #expect(node.heartbeatInterval == core.heartbeatInterval)
        #expect(node.preVote == core.preVote)
        #expect(node.checkQuorum == core.checkQuorum)
        #expect(node.maxAppendBytes == core.maxAppendBytes)
        #expect(node.maxInflightMessages == core.maxInflightMessages)
        #expect(node.maxInflightBytes == core.maxInflightBytes)
        #expect(node.maxUncommittedBytes == core.maxUncommittedBytes)
        #expect(node.maxUnappliedBytes == core.maxUnappliedBytes)
        #expect(node.maxApplyBytes == core.maxApplyBytes)
        #expect(node.entryCacheBytes == core.entryCacheBytes)
        #expect(node.leaseReads == core.leaseReads)
        #expect(node.maxClockDriftPercent == core.maxClockDriftPercent)
        #expect(node.diskStallLimit == core.diskStallLimit)
        #expect(node.maxRetainedEntries == core.maxRetainedEntries)
        #expect(node.maxRetainedBytes == core.maxRetainedBytes)
    }
}
