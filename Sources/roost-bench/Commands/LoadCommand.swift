import ArgumentParser
import Foundation

/// The load generator alone, against a server that is under way.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Put load on any server that speaks the Redis protocol.",
        discussion: """
            Writes keys key-000000000000 and up, and reads them. A workload with reads fills the store first, unless \
            --no-fill. A reply that is not what was asked for is a failure: it is shown, and the exit code is 1.

            Without --rate each connection sends --pipeline commands and waits for all replies (a closed loop). With it \
            operations begin at a constant rate, and latency counts from the moment an operation should have begun.
            """)

    @Option(help: ArgumentHelp("IPv4 address and port.", valueName: "host:port")) var address = "127.0.0.1:6400"
    @Option(help: "What the operations are.") var workload = Traffic.write
    @Option(help: "Connections.") var connections = 64
    @Option(help: "Requests under way on each.") var pipeline = 1
    @Option(help: "Length of values.") var valueBytes = 100
    @Option(help: "uniform or zipf; default: uniform, and zipf for YCSB's letters.") var distribution: KeyDistribution?
    @Option(help: ArgumentHelp("Keys in the store.", valueName: "number")) var records = 100_000
    @Option(help: ArgumentHelp("Open loop: operations begun per second.", valueName: "number")) var rate: Int?
    @Option(help: "Seconds of load that are not counted.") var warmup = 0.5
    @Option(help: "Seconds that are counted.") var seconds = 4.0
    @Option(help: ArgumentHelp("Threads of the generator; default: a quarter of the processors.", valueName: "number"))
    var threads: Int?
    @Option(help: ArgumentHelp("Processes of the server, to tell what an operation costs them.", valueName: "pid,..."))
    var pids: CommaList<Int>?
    @Flag(inversion: .prefixedNo, help: "Write all keys before a workload with reads.") var fill = true
    @Flag(help: "One line of JSON instead of words.") var json = false

    func validate() throws {
        _ = try place
        guard (1...10_000).contains(connections) else { throw ValidationError("--connections: expected 1 to 10000") }
        guard (1...1_024).contains(pipeline) else { throw ValidationError("--pipeline: expected 1 to 1024") }
        guard (1...1 << 20).contains(valueBytes) else { throw ValidationError("--value-bytes: expected 1 to 1048576") }
        guard (2...100_000_000).contains(records) else { throw ValidationError("--records: expected 2 to 100000000") }
        guard (1...10_000_000).contains(rate ?? 1) else { throw ValidationError("--rate: expected 1 to 10000000") }
        guard (1...64).contains(threads ?? 1) else { throw ValidationError("--threads: expected 1 to 64") }
        guard (0.1...86_400).contains(seconds), (0...600).contains(warmup) else {
            throw ValidationError("--seconds: expected 0.1 to 86400, --warmup: 0 to 600")
        }
    }

    private var place: LoopbackAddress {
        get throws {
            let parts = address.split(separator: ":")
            guard parts.count == 2, let port = UInt16(parts[1]) else {
                throw ValidationError("--address: expected HOST:PORT, as 127.0.0.1:6400")
            }
            return LoopbackAddress(host: parts[0] == "localhost" ? "127.0.0.1" : String(parts[0]), port: port)
        }
    }

    func run() throws {
        do {
            let measurement = try measure()
            if json { return print(String(decoding: try JSONEncoder().encode(measurement), as: UTF8.self)) }
            print(words(measurement))
        } catch let error as BenchError {
            Progress.say("\(error)")
            throw ExitCode(1)
        }
    }

    private func measure() throws -> Measurement {
        let asked = Workload(
            workload, valueBytes: valueBytes, connections: connections, pipeline: pipeline, keys: distribution,
            rate: rate)
        if workload.needsRecords, fill { try LoadGenerator.fill(place, records: records, valueBytes: valueBytes) }
        let plan = LoadPlan(
            address: try place, workload: asked, records: records, warmup: .seconds(warmup), time: .seconds(seconds),
            threads: threads ?? LoadGenerator.usualThreads, checksValues: fill)
        let watched = pids?.values.map(pid_t.init) ?? []
        var usage = (before: ProcessUsage(), after: ProcessUsage())
        let tally = try LoadGenerator.run(plan) { start, end in
            sleep(until: start)
            usage.before = ProcessUsage.of(watched)
            sleep(until: end)
            usage.after = ProcessUsage.of(watched)
        }
        let cost = watched.isEmpty ? Cost() : Cost(from: usage.before, to: usage.after, operations: tally.operations)
        if tally.misses > 0 { Progress.say("\(thousands(tally.misses)) reads found nothing") }
        return try Measurement(
            tally, seconds: seconds, cost: cost,
            command: ["roost-bench", "load", "--address", address] + asked.arguments)
    }

    private func words(_ measurement: Measurement) -> String {
        let latency = measurement.latency
        var lines = [
            "\(thousands(Int(measurement.perSecond))) ops/s, p50 \(Table.decimals(latency.p50, 3)) ms, p99 "
                + "\(Table.decimals(latency.p99, 3)) ms, p99.9 \(Table.decimals(latency.p999, 3)) ms, longest "
                + "\(Table.decimals(latency.longest, 3)) ms"
        ]
        for (name, part) in [("reads", measurement.readLatency), ("writes", measurement.writeLatency)] {
            guard let part else { continue }
            lines.append(
                "  \(name): p50 \(Table.decimals(part.p50, 3)) ms, p99 \(Table.decimals(part.p99, 3)) ms, p99.9 "
                    + "\(Table.decimals(part.p999, 3)) ms")
        }
        if let used = measurement.cost.processorMicrosecondsPerOperation {
            lines.append("servers: \(Table.decimals(used, 2)) us of CPU per operation")
        }
        if let used = measurement.generatorMicrosecondsPerOperation {
            lines.append("generator: \(Table.decimals(used, 2)) us of CPU per operation")
        }
        if measurement.unsent > 0 {
            lines.append("the server did not keep up: \(thousands(measurement.unsent)) operations could not be begun")
        }
        return lines.joined(separator: "\n")
    }
}
