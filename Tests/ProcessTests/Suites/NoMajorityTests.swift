import RESP
import Testing

extension ProcessTests {
    @Suite("No majority: honest errors in bounded time") struct NoMajorityTests {
        private let sandbox = Sandbox.current!
        /// Set where a test waits for an honest error. Leaders that lost their majority notice it late enough for a busy
        /// machine to send them something before.
        private static let short = ["--park-timeout", "2s", "--request-timeout", "2s", "--election-timeout", "4s"]
        /// Both timeouts, with what a busy machine may add.
        private static let parking = Duration.seconds(1.5) ... .seconds(30)

        @Test func `without a leader a write is parked, then refused as LOADING, and certainly not applied`() throws {
            let cluster = try Cluster(sandbox, arguments: ["--park-timeout", "2s"])
            let survivor = try cluster.leader()
            #expect(try survivor.connect()("SET", "kept", "1") == .ok)
            for node in cluster.nodes where node !== survivor { try node.kill() }
            try waitUntilLeaderless(survivor)

            let connection = try survivor.connect()
            for command in [
                ["SET", "refused", "1"], ["APPEND", "refused", "x"], ["INCR", "refused"], ["GET", "kept"],
            ] {
                let (reply, time) = try timed { try connection.call(command) }
                #expect(reply.errorWord == "LOADING", "\(command) was answered \(reply)")
                #expect(Self.parking.contains(time), "\(command) took \(time)")
            }
            // The daemon itself is fine and says what is wrong.
            #expect(try connection("PING") == .simple("PONG"))
            #expect(try survivor.get("/livez").status == 200)
            #expect(try survivor.get("/readyz").status == 503)
            #expect(try !survivor.status().reasons.isEmpty)

            try cluster.restartDead()
            try cluster.waitUntilServing()
            for node in cluster.nodes {
                #expect(try node.connect()("GET", "refused") == .null, "node \(node.node)")
                #expect(try node.connect()("GET", "kept") == .text("1"), "node \(node.node)")
            }
        }

        @Test func `a parked write goes through when a leader comes in time`() throws {
            let cluster = try Cluster(sandbox)
            let leader = try cluster.leader()
            let follower = try cluster.followers()[0]
            let connection = try follower.connect()
            #expect(try connection("SET", "k", "1") == .ok)
            try leader.kill()
            // The other two elect a leader within about a second; the command waits for that.
            let (reply, time) = try timed { try connection("SET", "k", "2") }
            print("a write sent right after kill -9 of the leader: \(reply) after \(time)")
            // It may have been on its way to the dead leader; then nobody knows.
            #expect(reply == .ok || reply.errorWord == ErrorWord.unknownOutcome, "\(reply)")
            try cluster.waitUntilServing()
            #expect(try connection("SET", "k", "3") == .ok)
            #expect(try connection("GET", "k") == .text("3"))
        }

        @Test func `a write in flight when the majority vanishes ends in doubt, in bounded time`() throws {
            let cluster = try Cluster(sandbox, arguments: Self.short)
            let leader = try cluster.leader()
            let followers = try cluster.followers()
            let connection = try leader.connect()
            let counter = try leader.connect()
            #expect(try connection("SET", "k", "old") == .ok)
            for node in followers { try node.pause() }
            // Still leader for an election time-out, so the writes are proposed.
            try counter.socket.write(encode(["INCR", "n"]))
            let (reply, time) = try timed { try connection("SET", "k", "new") }
            #expect(reply.errorWord == ErrorWord.unknownOutcome, "\(reply)")
            #expect(Self.parking.contains(time), "\(time)")
            let counted = try counter.receive()
            #expect(counted.errorWord == ErrorWord.unknownOutcome, "\(counted)")

            // Alone it cannot know what is true now.
            let (stale, readTime) = try timed { try connection("GET", "k") }
            #expect(stale.errorWord == "LOADING", "\(stale)")
            #expect(Self.parking.contains(readTime), "\(readTime)")

            for node in followers { try node.resume() }
            try cluster.waitUntilServing()
            let value = try leader.connect()("GET", "k")
            #expect(value == .text("old") || value == .text("new"), "\(value)")
            for node in cluster.nodes { #expect(try node.connect()("GET", "k") == value, "node \(node.node)") }
            let count = try leader.connect()("GET", "n")
            #expect(count == .null || count == .text("1"), "\(count)")
        }

        @Test func `reads on a leader that lost its majority do not answer`() throws {
            let cluster = try Cluster(sandbox, arguments: ["--park-timeout", "2s"])
            let leader = try cluster.leader()
            let connection = try leader.connect()
            #expect(try connection("SET", "k", "old") == .ok)
            for node in cluster.nodes where node !== leader { try node.pause() }
            for command in [["GET", "k"], ["MGET", "k"], ["EXISTS", "k"], ["STRLEN", "k"], ["DBSIZE"]] {
                let (reply, time) = try timed { try connection.call(command) }
                #expect(reply.errorWord == "LOADING", "\(command) was answered \(reply)")
                #expect(Self.parking.contains(time), "\(command) took \(time)")
            }
            for node in cluster.nodes { try node.resume() }
            try cluster.waitUntilServing()
            #expect(try connection("GET", "k") == .text("old"))
        }

        /// The read lies in the old leader's socket before it wakes up: it is the first thing it sees.
        @Test func `a leader that slept through its own deposition does not answer from the past`() throws {
            let cluster = try Cluster(sandbox)
            for round in 1...3 {
                let leader = try cluster.leader()
                let connection = try leader.connect()
                #expect(try connection("SET", "k", "old\(round)") == .ok)
                try leader.pause()
                try connection.socket.write(encode(["GET", "k"]))
                let others = cluster.nodes.filter { $0 !== leader }
                let successor = try eventually("another leader") {
                    try others.first { try $0.status().role == "leader" }
                }
                #expect(try successor.connect()("SET", "k", "new\(round)") == .ok)
                try leader.resume()
                let reply = try connection.receive()
                let refused = reply.errorWord.map { ErrorWord.notApplied.contains($0) } ?? false
                #expect(reply == .text("new\(round)") || refused, "\(reply)")
                try cluster.waitUntilServing()
            }
        }

        private func waitUntilLeaderless(_ node: DaemonProcess) throws {
            try eventually("node \(node.node) knows that nobody leads") {
                let status = try node.status()
                return status.role != "leader" && status.leader == 0 ? () : nil
            }
        }
    }
}
