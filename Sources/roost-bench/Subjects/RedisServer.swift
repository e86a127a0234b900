/// Redis that syncs its append-only file before it answers: the same promise, on one machine and in memory.
struct RedisServer: Subject {
    let kind: SubjectKind
    let server: String

    func carries(_ workload: Workload) -> Bool { true }

    func start(in folder: String) throws -> any RunningSubject {
        let port = try Port.free()
        let process = try ChildProcess(
            [
                server, "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--dir", folder,
            ], log: "\(folder)/redis.log")
        do {
            try process.waitUntil("Redis answers") { RedisProbe.role(port: port) == .master }
        } catch {
            process.stop()
            throw error
        }
        return RespServer(kind, port: port, processes: [process])
    }
}
