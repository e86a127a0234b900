import RESP
import Testing

extension ProcessTests {
    @Suite("Hostile bytes: the daemon stays up and serves the others") struct HostileBytesTests {
        private let sandbox = Sandbox.current!

        /// What a client sends, and what it must get before the connection is closed.
        struct Attack: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let bytes: [UInt8]
            let reply: String

            init(_ name: String, _ text: String, reply: String) {
                self.init(name, Array(text.utf8), reply: reply)
            }
            init(_ name: String, _ bytes: [UInt8], reply: String) {
                (testDescription, self.bytes, self.reply) = (name, bytes, reply)
            }
        }

        @Test func `malformed requests are answered and their connection closed`() throws {
            let attacks = [
                Attack("a bulk length beyond every limit", "*1\r\n$999999999999\r\n", reply: "-ERR Protocol error: "),
                Attack("an argument count beyond every limit", "*2147483647\r\n", reply: "-TOOBIG "),
                Attack(
                    "a bulk length that overflows", "*1\r\n$99999999999999999999\r\n", reply: "-ERR Protocol error: "),
                Attack("a count that overflows", "*99999999999999999999\r\n", reply: "-ERR Protocol error: "),
                Attack("a negative bulk length", "*1\r\n$-5\r\n", reply: "-ERR Protocol error: "),
                Attack("more bytes than a value may have", "*2\r\n$3\r\nGET\r\n$9000000\r\n", reply: "-TOOBIG "),
                Attack("no dollar", "*1\r\n:5\r\n", reply: "-ERR Protocol error: "),
                Attack("a length that is no number", "*1\r\n$abc\r\n", reply: "-ERR Protocol error: "),
                Attack("a count that is no number", "*abc\r\n", reply: "-ERR Protocol error: "),
                Attack(
                    "an endless inline command", [UInt8](repeating: 0x61, count: 70 << 10),
                    reply: "-ERR Protocol error: "),
                Attack("unbalanced quotes", "SET \"k v\r\n", reply: "-ERR Protocol error: "),
            ]
            let node = try DaemonProcess.single(sandbox)
            for attack in attacks {
                let socket = try ClientSocket(port: node.settings.redis)
                // Complete commands before the bad bytes are served.
                try socket.write(encode(["SET", "before", "1"]) + attack.bytes)
                let answer = String(decoding: try socket.readToEnd(), as: UTF8.self)
                #expect(
                    answer.hasPrefix("+OK\r\n" + attack.reply),
                    "\(attack.testDescription) was answered \(answer.debugDescription)")
                try expectHealthy(node, after: attack.testDescription)
            }
        }

        @Test func `a value beyond max-value-bytes is refused as TOOBIG, and nothing is stored`() throws {
            let node = try DaemonProcess.single(sandbox)
            let connection = try node.connect()
            let limit = 8 << 20
            #expect(try connection("SET", "fits", String(repeating: "x", count: limit)) == .ok)
            // The server may answer before it has read all of it, and close.
            try? connection.socket.write(encode(["SET", "large", String(repeating: "x", count: limit + 1)]))
            let reply = try connection.receive()
            #expect(reply.errorWord == "TOOBIG", "\(reply)")
            #expect(try node.connect()("EXISTS", "large") == .integer(0))
            #expect(try node.connect()("STRLEN", "fits") == .integer(Int64(limit)))
            try expectHealthy(node, after: "a value that is too large")
        }

        @Test(arguments: [1, 2, 3]) func `random bytes on all three ports`(seed: UInt64) throws {
            let cluster = try Cluster(sandbox)
            let node = cluster.nodes[Int(seed) - 1]
            var random = SplitMix64(seed: seed)
            for port in [node.settings.redis, node.settings.peer, node.settings.http] {
                for _ in 0..<60 {
                    let count = Int.random(in: 1...2_000, using: &random)
                    var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                    // Half of them look right at first.
                    if Bool.random(using: &random) { bytes = Array("*3\r\n$3\r\nSET\r\n$".utf8) + bytes }
                    let socket = try ClientSocket(port: port)
                    try? socket.write(bytes)
                    if Bool.random(using: &random) { socket.reset() }
                }
                try expectHealthy(node, after: "random bytes on port \(port)")
            }
        }

        @Test func `each port refuses the protocols of the others`() throws {
            let cluster = try Cluster(sandbox)
            let node = cluster.nodes[0]
            let http = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            let frame = [UInt8](repeating: 0xFF, count: 4_096)
            for (port, bytes) in [
                (node.settings.peer, Array(http.utf8)), (node.settings.peer, encode(["SET", "a", "b"])),
                (node.settings.peer, frame), (node.settings.peer, [UInt8](repeating: 0, count: 4_096)),
                (node.settings.http, encode(["SET", "a", "b"])), (node.settings.http, frame),
            ] {
                let socket = try ClientSocket(port: port)
                try? socket.write(bytes)
                let answer = try socket.readToEnd()
                #expect(answer.count < 4_096)
            }
            try expectHealthy(node, after: "foreign protocols")
            #expect(try cluster.leader().connect()("SET", "still", "there") == .ok)
        }

        @Test func `HTTP requests that are too large or unfinished do no harm`() throws {
            let node = try DaemonProcess.single(sandbox)
            let header = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + String(repeating: "a", count: 1 << 20)
            let socket = try ClientSocket(port: node.settings.http)
            try? socket.write(Array((header + "\r\n\r\n").utf8))
            let answer = String(decoding: (try? socket.readToEnd()) ?? [], as: UTF8.self)
            #expect(!answer.hasPrefix("HTTP/1.1 200"), "a header of 1 MiB was served")
            let unfinished = try (0..<50).map { _ in
                let socket = try ClientSocket(port: node.settings.http)
                try socket.write(Array("GET /livez HT".utf8))
                return socket
            }
            #expect(try node.get("/livez").status == 200)
            withExtendedLifetime(unfinished) {}
            try expectHealthy(node, after: "unfinished HTTP requests")
        }

        @Test func `half a command on many connections holds nobody up`() throws {
            let node = try DaemonProcess.single(sandbox)
            let halves = try (0..<200).map { number in
                let connection = try node.connect()
                let bytes = encode(["SET", "half\(number)", "value"])
                try connection.socket.write(Array(bytes.prefix(1 + number % (bytes.count - 1))))
                return connection
            }
            try expectHealthy(node, after: "200 halves")
            for (number, connection) in halves.enumerated() {
                let bytes = encode(["SET", "half\(number)", "value"])
                try connection.socket.write(Array(bytes.dropFirst(1 + number % (bytes.count - 1))))
            }
            for connection in halves { #expect(try connection.receive() == .ok) }
        }

        @Test func `a client that never reads its replies costs bounded memory`() throws {
            let node = try DaemonProcess.single(sandbox)
            let size = 64 << 10
            #expect(try node.connect()("SET", "large", String(repeating: "x", count: size)) == .ok)
            let before = try node.current.residentBytes
            // 64 KiB for 26 bytes: 20,000 requests ask for 1.2 GiB.
            let requests = (0..<20_000).flatMap { _ in encode(["GET", "large"]) }
            let clients = try (0..<4).map { _ in try ClientSocket(port: node.settings.redis) }
            var sent = [Int](repeating: 0, count: clients.count)
            let deadline = ContinuousClock.now + .seconds(5)
            var highest = before
            while ContinuousClock.now < deadline {
                for (index, client) in clients.enumerated() where sent[index] < requests.count {
                    // A refusal (the output limit closes the connection) is as good as a pause.
                    sent[index] += (try? client.writeSome(requests[sent[index]...])) ?? requests.count
                }
                pause(.milliseconds(10))
                highest = max(highest, try node.current.residentBytes)
            }
            // Four clients with about 2 MiB and a reply each, and what the allocator keeps.
            let limit = 64 << 20
            print("unread replies: \(before >> 20) MiB before, \(highest >> 20) MiB at most")
            #expect(highest - before < limit, "\(highest >> 20) MiB")
            try expectHealthy(node, after: "unread replies")
        }

        @Test func `pipelines of writes that nobody settles cost bounded memory`() throws {
            let limit = 48 << 20
            let cluster = try Cluster(
                sandbox, arguments: ["--max-waiting-write-bytes", "\(limit)", "--park-timeout", "30s"])
            try cluster.waitUntilServing()
            let node = cluster.nodes[0]
            for other in cluster.nodes.dropFirst() { try other.kill() }
            let before = try node.current.residentBytes
            // 24 clients with 32 MiB each: 768 MiB, of which each connection may have 16 MiB under way.
            let set = encode(["SET", "key", String(repeating: "x", count: 256 << 10)])
            let requests = Array(repeatElement(set, count: 128).joined())
            let clients = try (0..<24).map { _ in try ClientSocket(port: node.settings.redis) }
            var sent = [Int](repeating: 0, count: clients.count)
            var highest = before
            let deadline = ContinuousClock.now + .seconds(6)
            while ContinuousClock.now < deadline, sent.contains(where: { $0 < requests.count }) {
                for (index, client) in clients.enumerated() where sent[index] < requests.count {
                    sent[index] += try client.writeSome(requests[sent[index]...])
                }
                pause(.milliseconds(5))
                highest = max(highest, try node.current.residentBytes)
            }
            print("unsettled writes: \(before >> 20) MiB before, \(highest >> 20) MiB at most")
            // Arenas double as they grow, and each connection may have a command of its own half read.
            #expect(highest - before < 3 * limit, "\(highest >> 20) MiB")
            clients.forEach { $0.close() }
            try cluster.restartDead()
            try cluster.waitUntilServing()
            try expectHealthy(node, after: "unsettled writes")
        }

        @Test func `1,000 idle connections leave the others alone`() throws {
            try allowDescriptors(2_048)
            let node = try DaemonProcess.single(sandbox)
            let idle = try (0..<1_000).map { _ in try ClientSocket(port: node.settings.redis) }
            try expectHealthy(node, after: "1,000 idle connections")
            withExtendedLifetime(idle) {}
            idle.forEach { $0.close() }
            try expectHealthy(node, after: "they left")
        }

        @Test func `a client that ends its direction still gets every reply`() throws {
            let cluster = try Cluster(sandbox)
            for node in cluster.nodes {
                let socket = try ClientSocket(port: node.settings.redis)
                let commands = (0..<100).flatMap { encode(["SET", "half\($0)", "v"]) } + encode(["GET", "half99"])
                try socket.write(commands)
                socket.finishWriting()
                let answer = String(decoding: try socket.readToEnd(), as: UTF8.self)
                let expected = String(repeating: "+OK\r\n", count: 100) + "$1\r\nv\r\n"
                #expect(answer == expected, "node \(node.node) answered \(answer.utf8.count) bytes")
            }
        }

        @Test func `clients that vanish in the middle of their writes do no harm`() throws {
            let cluster = try Cluster(sandbox)
            for round in 0..<60 {
                let node = cluster.nodes[round % 3]
                let socket = try ClientSocket(port: node.settings.redis)
                try socket.write((0..<50).flatMap { encode(["SET", "gone\($0)", "\(round)"]) })
                socket.reset()
            }
            for node in cluster.nodes { try expectHealthy(node, after: "60 resets") }
        }

        /// The very process we started answers PING, a write and a read on a new connection.
        private func expectHealthy(_ node: DaemonProcess, after what: String) throws {
            guard node.isRunning else { throw TestFailure("node \(node.node) ended after \(what)") }
            let connection = try node.connect()
            #expect(try connection("PING") == .simple("PONG"), "after \(what)")
            #expect(try connection("SET", "healthy", what) == .ok)
            #expect(try connection("GET", "healthy") == .text(what))
        }
    }
}
