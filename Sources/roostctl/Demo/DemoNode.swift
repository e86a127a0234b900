/// One of the demo's three nodes: its numbers and its files.
struct DemoNode: Hashable, Sendable {
    /// 1, 2 or 3.
    let id: UInt64

    static let all = (1...3).map { DemoNode(id: UInt64($0)) }

    var redis: Endpoint { Endpoint(host: "127.0.0.1", port: 6400 + UInt16(id)) }
    var peer: Endpoint { Endpoint(host: "127.0.0.1", port: 7400 + UInt16(id)) }
    var http: Endpoint { Endpoint(host: "127.0.0.1", port: 8400 + UInt16(id)) }
}

/// The demo's folder. All paths are absolute: the data directory on a process's command line is what tells a node of
/// this demo from any other `roostd`.
struct DemoFolder: Sendable {
    let path: String

    func dataDirectory(_ node: DemoNode) -> String { "\(path)/node\(node.id)" }
    func log(_ node: DemoNode) -> String { "\(path)/node\(node.id).log" }
    func pidFile(_ node: DemoNode) -> String { "\(path)/node\(node.id).pid" }

    /// Held by `demo run` for as long as it lives.
    var runLock: String { "\(path)/lock" }
    /// Held by whoever starts or stops nodes, so that a restart cannot slip past the end of the demo.
    var changeLock: String { "\(path)/change.lock" }

    func arguments(_ node: DemoNode) -> [String] {
        let peers = DemoNode.all.map { "\($0.id)=\($0.peer)" }.joined(separator: ",")
        return [
            "--node-id", String(node.id), "--cluster-name", "demo", "--peers", peers,
            "--data-dir", dataDirectory(node), "--listen-redis", node.redis.description,
            "--listen-peer", node.peer.description, "--listen-http", node.http.description,
            // `demo partition` must be able to break its network.
            "--fault-injection", "yes",
            // Three nodes share the disk of whoever tries them.
            "--min-free-bytes", "256MiB", "--reserve-bytes", "16MiB",
        ]
    }
}
