import ArgumentParser

/// Something that is measured: started on an empty folder, put under load, stopped.
protocol Subject: Sendable {
    var kind: SubjectKind { get }

    /// Whether the workload can be put to it. What can't is no gap in the table but no row.
    func carries(_ workload: Workload) -> Bool

    /// Starts it for some measurements.
    ///
    /// - Throws: `BenchError` if it does not answer.
    func start(in folder: String) throws -> any RunningSubject
}

protocol RunningSubject: AnyObject {
    /// One measurement.
    ///
    /// - Throws: `BenchError` if there is no figure that means something: no reply, a wrong reply.
    func measure(_ workload: Workload, _ effort: Effort) throws -> Measurement
    func stop()
}

/// The names by which subjects are chosen.
enum SubjectKind: String, Codable, CaseIterable, Sendable, ExpressibleByArgument {
    case rocksdb
    case rocksdbBatch64 = "rocksdb-batch-64"
    case rocksdbBatch512 = "rocksdb-batch-512"
    case storageBatch64 = "storage-batch-64"
    case storageBatch512 = "storage-batch-512"
    case roost1 = "roost-1"
    case roost1Lease = "roost-1-lease"
    case roost3 = "roost-3"
    case roost3Follower = "roost-3-follower"
    case roost3Lease = "roost-3-lease"
    case redis
    case etcd1 = "etcd-1"
    case etcd3 = "etcd-3"

    var title: String {
        switch self {
        case .rocksdb: "raw RocksDB, pair by pair"
        case .rocksdbBatch64: "raw RocksDB, batches of 64"
        case .rocksdbBatch512: "raw RocksDB, batches of 512"
        case .storageBatch64: "Roost's storage, batches of 64"
        case .storageBatch512: "Roost's storage, batches of 512"
        case .roost1: "Roost, 1 node"
        case .roost1Lease: "Roost, 1 node, lease reads"
        case .roost3: "Roost, 3 nodes, at the leader"
        case .roost3Follower: "Roost, 3 nodes, at a follower"
        case .roost3Lease: "Roost, 3 nodes, lease reads"
        case .redis: "Redis, appendfsync always"
        case .etcd1: "etcd, 1 node"
        case .etcd3: "etcd, 3 nodes, at the leader"
        }
    }

    /// Whose figures the row stands with in a picture.
    var family: Family {
        switch self {
        case .rocksdb, .rocksdbBatch64, .rocksdbBatch512: .rocksdb
        case .storageBatch64, .storageBatch512, .roost1, .roost1Lease, .roost3, .roost3Follower, .roost3Lease: .roost
        case .redis: .redis
        case .etcd1, .etcd3: .etcd
        }
    }

    enum Family: String, Sendable {
        case rocksdb
        case roost
        case redis
        case etcd
    }
}

/// How much is asked of each subject under each workload.
struct Effort: Codable, Sendable {
    /// Keys that are in the store while there are reads.
    var records = 100_000
    /// Load that is not counted.
    var warmup = 0.5
    /// The time that is counted; seconds.
    var seconds = 4.0

    /// Records of values above 1 KiB are fewer: no more than this together.
    static let maxRecordBytes = 256 << 20

    func records(of valueBytes: Int) -> Int {
        valueBytes <= 1_024 ? records : max(1_000, min(records, Self.maxRecordBytes / valueBytes))
    }
}
