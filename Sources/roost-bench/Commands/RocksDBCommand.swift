import ArgumentParser
import Foundation
import RocksDB
import Synchronization

/// Synced writes into RocksDB by itself, without anything of Roost but the wrapper of its C interface; or through Roost's
/// log and state, without consensus and network.
struct RocksDBCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rocksdb", abstract: "Measure synced writes of RocksDB by itself, in this process.",
        discussion: """
            RocksDB's own defaults, as db_bench has them, without compression: one column family, memtables of 64 MiB, \
            random keys of 16 bytes. With --batch 1 each thread writes and syncs pair by pair; RocksDB joins writes \
            that wait into groups.

            With --engine roost one thread writes entries of --batch commands to a node's log; another applies them \
            beside it, as in the daemon and with its settings.
            """)

    enum Engine: String, CaseIterable, Sendable, ExpressibleByArgument {
        case rocksdb
        case roost
    }

    @Option(help: "rocksdb or roost.") var engine = Engine.rocksdb

    @Option(help: "Threads that write.") var threads = 1
    @Option(help: "Pairs in one synced batch.") var batch = 1
    @Option(help: "Length of values.") var valueBytes = 100
    @Option(help: "Keys that are written, at random.") var records = 100_000
    @Option(help: "Seconds that are not counted.") var warmup = 0.5
    @Option(help: "Seconds that are counted.") var seconds = 4.0
    @Option(help: ArgumentHelp("Where the database is made; default: in /var/tmp, and removed.", valueName: "folder"))
    var store: String?
    @Flag(help: "One line of JSON instead of words.") var json = false

    func validate() throws {
        guard (1...1_024).contains(threads) else { throw ValidationError("--threads: expected 1 to 1024") }
        if engine == .roost, threads != 1 {
            throw ValidationError("--engine roost: its log has one writer, --threads 1")
        }
        guard (1...65_536).contains(batch) else { throw ValidationError("--batch: expected 1 to 65536") }
        guard (1...1 << 20).contains(valueBytes) else { throw ValidationError("--value-bytes: expected 1 to 1048576") }
        guard (1...100_000_000).contains(records) else { throw ValidationError("--records: expected 1 to 100000000") }
        guard (0.1...3_600).contains(seconds), (0...600).contains(warmup) else {
            throw ValidationError("--seconds: expected 0.1 to 3600, --warmup: 0 to 600")
        }
    }

    func run() throws {
        do {
            if let store { return try report(measure(store)) }
            let workspace = try Workspace(in: "/var/tmp")
            defer { workspace.remove() }
            Interruption.cleanUp(workspace)
            try report(measure("\(workspace.path)/rocksdb"))
        } catch let error as BenchError {
            Progress.say("\(error)")
            throw ExitCode(1)
        } catch let error as RocksDBError {
            Progress.say("\(error)")
            throw ExitCode(74)
        }
    }

    private func report(_ measurement: Measurement) throws {
        if json { return print(String(decoding: try JSONEncoder().encode(measurement), as: UTF8.self)) }
        print(
            "\(thousands(Int(measurement.perSecond))) writes/s, p50 \(Table.decimals(measurement.latency.p50, 3)) ms, "
                + "p99 \(Table.decimals(measurement.latency.p99, 3)) ms, "
                + "p99.9 \(Table.decimals(measurement.latency.p999, 3)) ms")
    }

    private func measure(_ path: String) throws -> Measurement {
        let countedFrom = monotonicNow() + Duration.seconds(warmup).nanoseconds
        let end = countedFrom + Duration.seconds(seconds).nanoseconds
        let usage = Usage()
        Thread.detachNewThread {
            sleep(until: countedFrom)
            usage.before.withLock { $0 = ProcessUsage.of([getpid()]) }
            sleep(until: end)
            usage.after.withLock { $0 = ProcessUsage.of([getpid()]) }
            usage.finished.signal()
        }
        let tally =
            switch engine {
            case .rocksdb: try writeRaw(path, countedFrom, end)
            case .roost: try writeThroughRoost(path, countedFrom, end)
            }
        usage.finished.wait()
        let cost = usage.before.withLock { before in
            usage.after.withLock { Cost(from: before, to: $0, operations: tally.count) }
        }
        return Measurement(
            operations: tally.count, seconds: seconds, latency: tally.latencies.summary, cost: cost, command: [])
    }

    private func writeRaw(_ path: String, _ countedFrom: UInt64, _ end: UInt64) throws -> RawWriter.Tally {
        var options = DatabaseOptions()
        options.createIfMissing = true
        options.errorIfExists = true
        let database = try Database(path: path, options: options)
        guard let family = database.columnFamily("default") else { throw BenchError("RocksDB made no column family") }
        let writer = RawWriter(
            database: database, family: family, batch: batch, valueBytes: valueBytes, records: UInt64(records),
            countedFrom: countedFrom, end: end)
        var all = RawWriter.Tally()
        for result in Threads.run(threads, { writer.run(seed: UInt64($0) &+ 1) }) {
            let tally = try result.get()
            all.count += tally.count
            all.latencies.add(tally.latencies)
        }
        try database.close()
        return all
    }

    private func writeThroughRoost(_ path: String, _ countedFrom: UInt64, _ end: UInt64) throws -> RawWriter.Tally {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let storage = try StoragePath(in: path)
        var material = Material(keys: records, valueBytes: valueBytes, seed: 1)
        var tally = RawWriter.Tally()
        while true {
            let begun = monotonicNow()
            if begun >= end { break }
            try storage.write(batch, &material)
            tally.note(batch, from: begun, countedFrom, end)
        }
        try storage.drain()
        try storage.close()
        return tally
    }

    /// What the process had used at two moments.
    private final class Usage: Sendable {
        let before = Mutex(ProcessUsage())
        let after = Mutex(ProcessUsage())
        let finished = DispatchSemaphore(value: 0)
    }
}
