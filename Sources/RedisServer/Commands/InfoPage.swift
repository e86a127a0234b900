/// The text of INFO: Redis' sections and names where Redis has them, and a section `raft`.
struct InfoPage {
    /// Clients test features by it.
    static let redisVersion = "7.2.0"

    let node: NodeDescription
    let usage: NodeUsage
    let metrics: RedisServerMetrics
    let limits: RedisServerLimits

    /// - Parameter sections: lower case; empty, `default`, `all` or `everything`: all of them.
    func text(sections: [String]) -> String {
        let isEverything = sections.isEmpty || sections.contains { ["default", "all", "everything"].contains($0) }
        let chosen = page.filter { isEverything || sections.contains($0.name.lowercased()) }
        return chosen.map { section in
            "# \(section.name)\r\n" + section.lines.map { "\($0.0):\($0.1)\r\n" }.joined()
        }.joined(separator: "\r\n")
    }

    private typealias Line = (String, String)

    private var page: [(name: String, lines: [Line])] {
        [
            ("Server", server), ("Clients", clients), ("Memory", memory), ("Persistence", persistence),
            ("Stats", stats), ("Replication", replication), ("Keyspace", keyspace), ("Cluster", cluster),
            ("Raft", raft),
        ]
    }

    private var server: [Line] {
        [
            ("redis_version", Self.redisVersion), ("roost_version", node.version), ("redis_mode", "standalone"),
            ("tcp_port", "\(node.redisPort)"), ("uptime_in_seconds", "\(node.uptimeSeconds)"),
        ]
    }

    private var clients: [Line] {
        [("connected_clients", "\(metrics.connectedClients.current)"), ("maxclients", "\(limits.maxClients)")]
    }

    private var memory: [Line] { [("used_memory", "\(usage.residentBytes)")] }

    private var persistence: [Line] { [("loading", "0"), ("aof_enabled", "1")] }

    private var stats: [Line] {
        let commands =
            metrics.readCommands.current + metrics.writeCommands.current + metrics.otherCommands.current
        return [
            ("total_connections_received", "\(metrics.connectionsReceived.current)"),
            ("total_commands_processed", "\(commands)"),
            ("total_reads_processed", "\(metrics.readCommands.current)"),
            ("total_writes_processed", "\(metrics.writeCommands.current)"),
            ("rejected_connections", "\(metrics.connectionsRefused.current)"),
        ]
    }

    private var replication: [Line] {
        if node.isLeader {
            let followers = node.followers.enumerated().map { number, follower in
                (
                    "slave\(number)",
                    "ip=\(follower.host),port=\(follower.port),state=online,offset=\(follower.matchIndex),lag=0"
                )
            }
            return [("role", "master"), ("connected_slaves", "\(node.followers.count)")] + followers
                + [("master_repl_offset", "\(node.commitIndex)")]
        }
        return [
            ("role", "slave"), ("master_host", node.leaderRedis?.host ?? ""),
            ("master_port", "\(node.leaderRedis?.port ?? 0)"),
            ("master_link_status", node.leaderNode == nil ? "down" : "up"),
            ("slave_repl_offset", "\(node.appliedIndex)"), ("connected_slaves", "0"),
        ]
    }

    /// RocksDB's estimate, not a count: DBSIZE counts.
    private var keyspace: [Line] {
        usage.estimatedKeys == 0 ? [] : [("db0", "keys=\(usage.estimatedKeys),expires=0,avg_ttl=0,estimated=1")]
    }

    private var cluster: [Line] { [("cluster_enabled", "0")] }

    private var raft: [Line] {
        [
            ("raft_node_id", "\(node.node)"), ("raft_role", node.role), ("raft_term", "\(node.term)"),
            ("raft_leader_id", "\(node.leaderNode ?? 0)"), ("raft_commit_index", "\(node.commitIndex)"),
            ("raft_applied_index", "\(node.appliedIndex)"),
            ("raft_voters", node.voters.map(String.init).joined(separator: ",")),
        ]
    }
}
