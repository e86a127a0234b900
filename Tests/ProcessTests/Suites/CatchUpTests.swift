import RESP
import Testing

extension ProcessTests {
    @Suite("A node that was away catches up") struct CatchUpTests {
        private let sandbox = Sandbox.current!
        private static let writes = 200_000
        private static let clients = 4
        private static let pipeline = 1_000

        @Test func `after 200,000 writes of the others it has applied them all and serves them`() throws {
            let cluster = try Cluster(sandbox)
            let absent = try cluster.followers()[0]
            try absent.kill()
            try write(through: try cluster.leader().settings.redis)
            let commit = try cluster.leader().status().commit

            try absent.start()
            let took = try timed {
                try eventually("node \(absent.node) has applied up to \(commit)") {
                    try absent.status().applied >= commit ? () : nil
                }
            }.time
            print("caught up with \(Self.writes) writes in \(took)")

            // Now it is needed for every majority: what it lacks nobody else can make up for.
            let other = try cluster.followers().first { $0 !== absent }
            try other?.kill()
            try cluster.waitUntilServing()
            let connection = try absent.connect()
            #expect(try connection("DBSIZE") == .integer(Int64(Self.writes)))
            for start in stride(from: 0, to: Self.writes, by: 20_000) {
                let keys = (start..<start + 500).map { "k\($0)" }
                let expected = (start..<start + 500).map { Reply.text("v\($0)") }
                #expect(try connection.call(["MGET"] + keys) == .array(expected))
            }
        }

        private func write(through port: UInt16) throws {
            let workers = Workers(Self.clients) { number in
                Result {
                    let connection = try RedisConnection(port: port)
                    let share = Self.writes / Self.clients
                    for start in stride(from: number * share, to: (number + 1) * share, by: Self.pipeline) {
                        let commands = (start..<start + Self.pipeline).map { ["SET", "k\($0)", "v\($0)"] }
                        for reply in try connection.pipeline(commands) where reply != .ok {
                            throw TestFailure("SET was answered \(reply)")
                        }
                    }
                }
            }
            for result in workers.join() { try result.get() }
        }
    }
}
