import Foundation

/// What the disk and a store give without a server: RocksDB by itself, the yardstick of the table, and Roost's log and
/// state without consensus and network. Runs as a process of its own, so that its cost is measured as that of the servers
/// is.
struct LocalStore: Subject {
    let kind: SubjectKind
    let engine: RocksDBCommand.Engine
    /// Writes that share one synced batch, made by one thread; nil is one thread per connection, each writing and
    /// syncing pair by pair.
    let batch: Int?

    /// Threads beyond 64 only measure the scheduler.
    static let maxThreads = 64

    func carries(_ workload: Workload) -> Bool {
        guard workload.traffic == .write, workload.rate == nil, workload.keys == .uniform else { return false }
        return batch == nil
            ? workload.pipeline == 1 && workload.connections <= Self.maxThreads
            : workload.connections == Self.maxThreads
    }

    func start(in folder: String) throws -> any RunningSubject { Running(subject: self, folder: folder) }

    final class Running: RunningSubject {
        private let subject: LocalStore
        private let folder: String
        private var count = 0

        init(subject: LocalStore, folder: String) { (self.subject, self.folder) = (subject, folder) }

        func stop() {}

        func measure(_ workload: Workload, _ effort: Effort) throws -> Measurement {
            count += 1
            let store = "\(folder)/store\(count)"
            defer { try? FileManager.default.removeItem(atPath: store) }
            let arguments = [
                "rocksdb", "--engine", subject.engine.rawValue, "--threads",
                "\(subject.batch == nil ? workload.connections : 1)",
                "--batch", "\(subject.batch ?? 1)", "--value-bytes", "\(workload.valueBytes)",
                "--records", "\(effort.records(of: workload.valueBytes))", "--warmup", "\(effort.warmup)",
                "--seconds", "\(effort.seconds)",
            ]
            let text = try ChildProcess.output(
                of: [Tool.own] + arguments + ["--store", store, "--json"], folder: folder,
                within: .seconds(effort.warmup + effort.seconds + 60))
            var measurement = try JSONDecoder().decode(Measurement.self, from: Data(text.utf8))
            measurement.command = ["roost-bench"] + arguments
            return measurement
        }
    }
}
