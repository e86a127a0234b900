/// Whether the values of a configuration fit together, each being right by itself.
struct ConfigurationChecks {
    private(set) var problems: [ConfigurationError.Problem] = []

    private let effective: EffectiveConfiguration
    private var configuration: NodeConfiguration { effective.configuration }

    init(_ effective: EffectiveConfiguration) {
        self.effective = effective
        checkMembers()
        checkListeners()
        checkProtectedMode()
        checkAdvertised()
        checkTiming()
        checkSizes()
        checkSpace()
        checkLeases()
        checkFailpoints()
    }

    private mutating func checkMembers() {
        let node = configuration.node
        if node.peers.isEmpty { return }
        if node.join != nil {
            report("node.join", "joins a cluster and node.peers founds one; set one of the two")
        }
        if node.peers[node.id] == nil {
            let ids = node.peers.keys.sorted().map(String.init).joined(separator: ", ")
            report("node.peers", "names the members \(ids), but not this node, whose node.id is \(node.id)")
        }
        let byAddress = Dictionary(grouping: node.peers, by: \.value).filter { $0.value.count > 1 }
        for (address, members) in byAddress.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            let ids = members.map(\.key).sorted().map(String.init).joined(separator: " and ")
            report("node.peers", "gives the members \(ids) the same address \(address)")
        }
    }

    private var listeners: [(key: String, address: HostPort)] {
        [
            ("listen.redis", configuration.listen.redis), ("listen.peer", configuration.listen.peer),
            ("listen.http", configuration.listen.http),
        ]
    }

    private mutating func checkListeners() {
        for (index, (key, address)) in listeners.enumerated() where address.port != 0 {
            for (otherKey, other) in listeners[..<index] where other.port == address.port {
                guard other.host == address.host || other.isWildcard || address.isWildcard else { continue }
                report(key, "is \(address), which \(otherKey) takes already (\(other))")
            }
        }
    }

    private mutating func checkProtectedMode() {
        guard configuration.listen.protectedMode else { return }
        for (key, address) in listeners where !address.isLoopback {
            report(
                key,
                """
                is \(address), which others can reach, and nothing authenticates them; listen on 127.0.0.1, or set \
                listen.protected_mode to no (--protected-mode no) behind a firewall
                """)
        }
    }

    private mutating func checkAdvertised() {
        let isAlone = configuration.node.peers.isEmpty && configuration.node.join == nil
        if !isAlone, configuration.listen.redis.isWildcard, configuration.advertise.redis == nil {
            report("listen.redis", "is a wildcard, which clients cannot be told to dial; set advertise.redis")
        }
        if configuration.node.join != nil, configuration.listen.peer.isWildcard, configuration.advertise.peer == nil {
            report("listen.peer", "is a wildcard, which the cluster cannot be told to dial; set advertise.peer")
        }
        if configuration.node.join != nil, configuration.listen.peer.port == 0, configuration.advertise.peer == nil {
            report("listen.peer", "has port 0, and a node that joins must say where it is dialled; give it a port")
        }
    }

    private mutating func checkTiming() {
        let raft = configuration.raft
        if raft.heartbeatInterval * 3 > raft.electionTimeout {
            let election = DurationText.text(raft.electionTimeout)
            report(
                "raft.heartbeat_interval",
                "is more than a third of raft.election_timeout (\(election)): one lost heartbeat would cause elections")
        }
    }

    private mutating func checkSizes() {
        let (raft, limits) = (configuration.raft, configuration.limits)
        let pairs: [(smaller: String, Int, larger: String, Int)] = [
            ("limits.max_key_bytes", limits.maxKeyBytes, "limits.max_request_bytes", limits.maxRequestBytes),
            ("limits.max_value_bytes", limits.maxValueBytes, "limits.max_request_bytes", limits.maxRequestBytes),
            ("raft.max_append_bytes", raft.maxAppendBytes, "raft.max_inflight_bytes", raft.maxInflightBytes),
            ("limits.max_batch_bytes", limits.maxBatchBytes, "raft.max_uncommitted_bytes", raft.maxUncommittedBytes),
        ]
        for (smaller, size, larger, limit) in pairs where size > limit {
            report(smaller, "(\(ByteSize.text(size))) must not be more than \(larger) (\(ByteSize.text(limit)))")
        }
        // What one message must carry, besides 64 KiB for its header and those of the entries.
        // A batch is handed over when it is full, so it may hold one request more.
        let largest = max(limits.maxRequestBytes + limits.maxBatchBytes, raft.maxAppendBytes) + (64 << 10)
        if limits.peerMaxMessageBytes < largest {
            report(
                "limits.peer_max_message_bytes",
                """
                (\(ByteSize.text(limits.peerMaxMessageBytes))) must be 64KiB more than limits.max_request_bytes and \
                limits.max_batch_bytes together, and than raft.max_append_bytes
                """)
        }
    }

    private mutating func checkSpace() {
        guard case .bytes(let low) = configuration.storage.minFreeBytes,
            case .bytes(let critical) = configuration.storage.criticalFreeBytes, critical > low
        else { return }
        report(
            "storage.critical_free_bytes",
            "(\(ByteSize.text(critical))) must not be more than storage.min_free_bytes (\(ByteSize.text(low)))")
    }

    private mutating func checkLeases() {
        guard configuration.raft.leaseReads, !configuration.raft.checkQuorum else { return }
        report("raft.lease_reads", "needs raft.check_quorum: a lease is what a majority's answers are worth")
    }

    private mutating func checkFailpoints() {
        guard !configuration.debug.failpoints.isEmpty, !configuration.debug.faultInjection else { return }
        report("debug.failpoints", "needs debug.fault_injection: it makes the node fail on purpose")
    }

    private mutating func report(_ key: String, _ sentence: String) {
        problems.append(.init(source: effective.sources[key] ?? .defaults, message: "\(key) \(sentence)"))
    }
}
