/// One row of the table: what is asked, and how many requests are under way at once.
struct Workload: Hashable, Comparable, Codable {
    enum Kind: String, Codable { case write, read }

    var kind: Kind
    var clients: Int
    /// Requests that a client sends before it waits for the first reply.
    var pipeline = 1

    var name: String {
        let flight = pipeline == 1 ? "\(clients) in flight" : "\(clients) clients x pipeline \(pipeline)"
        return "\(kind == .write ? "durable writes" : "reads"), \(flight)"
    }

    static func < (a: Workload, b: Workload) -> Bool {
        (a.kind == .read ? 1 : 0, a.pipeline, a.clients) < (b.kind == .read ? 1 : 0, b.pipeline, b.clients)
    }
}
