/// Stock load for everything that speaks the Redis protocol: the same line for each server.
struct RedisBenchmark {
    let tool: String

    /// Runs every line of the plan; a line gives a write and a read.
    func run(_ plan: Plan, _ subject: String, port: UInt16, _ folder: String) -> [Sample] {
        plan.lines.flatMap { line -> [Sample] in
            let write = Workload(kind: .write, clients: line.clients, pipeline: line.pipeline)
            let read = Workload(kind: .read, clients: line.clients, pipeline: line.pipeline)
            do {
                let rows = try run(line, port, folder, plan.runLimit)
                return [Sample.of(subject, write) { try rows("SET") }, Sample.of(subject, read) { try rows("GET") }]
            } catch {
                return [write, read].map { Sample(subject: subject, workload: $0, result: .failure("\(error)")) }
            }
        }
    }

    /// Gives a row of the table by the name of its test.
    private func run(
        _ line: Plan.Line, _ port: UInt16, _ folder: String, _ limit: Duration
    ) throws -> (String) throws -> Measurement {
        var command = [
            tool, "-h", "127.0.0.1", "-p", "\(port)", "--csv", "-t", "set,get", "-c", "\(line.clients)",
            "-n", "\(line.requests)", "-d", "\(Plan.valueBytes)", "-r", "\(Plan.keys)",
        ]
        if line.pipeline > 1 { command += ["-P", "\(line.pipeline)"] }
        let text = try ChildProcess.output(of: command, folder: folder, within: limit)
        return { test in
            // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms",...
            for row in text.split(separator: "\n") {
                let columns = row.split(separator: ",").map { $0.filter { $0 != "\"" } }
                guard columns.count >= 8, columns[0] == test else { continue }
                guard let rate = Double(columns[1]), let p50 = Double(columns[4]), let p99 = Double(columns[6]) else {
                    break
                }
                return Measurement(perSecond: rate, p50Milliseconds: p50, p99Milliseconds: p99, command: command)
            }
            throw BenchError("redis-benchmark printed no row for \(test): \(text.suffix(200))")
        }
    }
}
