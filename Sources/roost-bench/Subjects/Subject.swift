/// Something that is measured: started on an empty folder, put under load, stopped.
protocol Subject {
    var name: String { get }

    /// One round. A failure is a sample too, so that it shows in the table instead of ending the run.
    func measure(_ plan: Plan, _ workspace: Workspace) -> [Sample]
}

enum Subjects {
    /// What can be measured here, in the order of the table, and a sentence for what cannot.
    static func available(roostd: String?, withEtcd: Bool) -> (subjects: [any Subject], missing: [String]) {
        var subjects: [any Subject] = []
        var missing: [String] = []
        if let tool = Tool.path("db_bench") {
            subjects.append(RawRocksDB(tool: tool))
        } else {
            missing.append("db_bench is not installed: apt-get install rocksdb-tools")
        }
        if let benchmark = Tool.path("redis-benchmark") {
            if let roostd {
                subjects.append(RoostCluster(roostd: roostd, benchmark: benchmark, nodes: 1))
                subjects.append(RoostCluster(roostd: roostd, benchmark: benchmark, nodes: 3))
            } else {
                missing.append("no roostd beside this program: swift build -c release, or --binaries")
            }
            if let server = Tool.path("redis-server") {
                subjects.append(RedisServer(server: server, benchmark: benchmark))
            } else {
                missing.append("redis-server is not installed: apt-get install redis-server")
            }
        } else {
            missing.append("redis-benchmark is not installed: apt-get install redis-tools")
        }
        if withEtcd {
            if let etcd = Tool.path("etcd"), let load = Tool.path("h2load") {
                subjects.append(EtcdCluster(etcd: etcd, load: load, nodes: 1))
                subjects.append(EtcdCluster(etcd: etcd, load: load, nodes: 3))
            } else {
                missing.append("etcd or h2load is not installed: apt-get install etcd-server nghttp2-client")
            }
        }
        return (subjects, missing)
    }
}
