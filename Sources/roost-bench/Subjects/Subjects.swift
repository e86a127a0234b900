import Foundation

/// What can be measured here, in the order of the table, and a sentence for what cannot.
struct Subjects {
    var found: [any Subject] = []
    var missing: [String] = []
    /// Debian's packages that would bring what is missing.
    var packages: [String] = []

    init(roostd: String?, wanted: Set<SubjectKind>) {
        for kind in SubjectKind.allCases where wanted.contains(kind) {
            switch kind {
            case .rocksdb: found.append(LocalStore(kind: kind, engine: .rocksdb, batch: nil))
            case .rocksdbBatch64: found.append(LocalStore(kind: kind, engine: .rocksdb, batch: 64))
            case .rocksdbBatch512: found.append(LocalStore(kind: kind, engine: .rocksdb, batch: 512))
            case .storageBatch64: found.append(LocalStore(kind: kind, engine: .roost, batch: 64))
            case .storageBatch512: found.append(LocalStore(kind: kind, engine: .roost, batch: 512))
            case .roost1, .roost1Lease, .roost3, .roost3Follower, .roost3Lease:
                add(
                    kind, roostd,
                    "no roostd beside this program: swift build -c release --product roostd, or --binaries"
                ) {
                    RoostCluster(kind: kind, roostd: $0)
                }
            case .redis:
                add(kind, Tool.path("redis-server"), "redis-server is not installed", package: "redis-server") {
                    RedisServer(kind: kind, server: $0)
                }
            case .etcd1, .etcd3: addEtcd(kind)
            }
        }
    }

    private mutating func add(
        _ kind: SubjectKind, _ tool: String?, _ sentence: String, package: String? = nil,
        _ make: (String) -> any Subject
    ) {
        if let tool { found.append(make(tool)) } else { miss(kind, sentence, package) }
    }

    private mutating func addEtcd(_ kind: SubjectKind) {
        let (etcd, load) = (Tool.path("etcd"), Tool.path("h2load"))
        if let etcd, let load {
            found.append(EtcdCluster(kind: kind, etcd: etcd, load: load))
            return
        }
        if etcd == nil { miss(kind, "etcd is not installed", "etcd-server") }
        if load == nil { miss(kind, "h2load is not installed", "nghttp2-client") }
    }

    private mutating func miss(_ kind: SubjectKind, _ sentence: String, _ package: String?) {
        missing.append("\(kind.rawValue): \(sentence)\(package.map { ": apt-get install \($0), or --install" } ?? "")")
        if let package, !packages.contains(package) { packages.append(package) }
    }
}
