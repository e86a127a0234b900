/// Redis that syncs its append-only file before it answers: the same promise, on one machine and in memory.
struct RedisServer: Subject {
    let server: String
    let benchmark: String
    let name = "Redis, appendfsync always"

    func measure(_ plan: Plan, _ workspace: Workspace) -> [Sample] {
        do {
            return try workspace.withFolder("redis") { folder in
                let port = try Port.free()
                let process = try ChildProcess(
                    [
                        server, "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes",
                        "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--dir", folder,
                    ], log: "\(folder)/redis.log")
                defer { process.stop() }
                try process.waitUntil("Redis answers") { RedisProbe.role(port: port) == .master }
                return RedisBenchmark(tool: benchmark).run(plan, name, port: port, folder)
            }
        } catch {
            return [.failure(name, "\(error)")]
        }
    }
}
