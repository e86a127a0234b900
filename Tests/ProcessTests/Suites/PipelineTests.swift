import RESP
import Testing

extension ProcessTests {
    @Suite("Pipelines: program order, on leader and followers") struct PipelineTests {
        private let sandbox = Sandbox.current!

        @Test func `SET and GET in one write answer the new value, on every node`() throws {
            let cluster = try Cluster(sandbox)
            for node in cluster.nodes {
                let connection = try node.connect()
                for round in 1...200 {
                    let replies = try connection.pipeline([["SET", "k", "\(round)"], ["GET", "k"]])
                    try #require(replies == [.ok, .text("\(round)")], "node \(node.node)")
                }
            }
        }

        @Test func `pipelines of 1,000 mixed commands have the replies of a program that runs alone`() throws {
            let cluster = try Cluster(sandbox)
            // Two connections at each node, all at once, each on keys of its own.
            let ports = cluster.nodes.map(\.settings.redis)
            let workers = Workers(2 * ports.count) { number in
                Result { try Self.runProgram(port: ports[number % ports.count], number: number) }
            }
            for (number, result) in workers.join().enumerated() {
                let differences = try result.get()
                #expect(differences.isEmpty, "at node \(number % ports.count + 1): \(differences.prefix(5))")
            }
        }

        /// Replies that differ from the model's, in words.
        private static func runProgram(port: UInt16, number: Int) throws -> [String] {
            var random = SplitMix64(seed: UInt64(number))
            var model = StringModel()
            let connection = try RedisConnection(port: port)
            var differences: [String] = []
            for _ in 1...5 {
                let commands = (0..<1_000).map { _ in StringModel.randomCommand(prefix: "\(number)", &random) }
                let expected = commands.map { model.run($0) }
                let replies = try connection.pipeline(commands)
                for index in commands.indices where replies[index] != expected[index] {
                    differences.append("#\(index) \(commands[index]): \(replies[index]), not \(expected[index])")
                }
            }
            return differences
        }

        @Test func `MGET sees one moment of keys that MSET writes together, and never an earlier one afterwards`()
            throws
        {
            let cluster = try Cluster(sandbox)
            let ports = cluster.nodes.map(\.settings.redis)
            let keys = (0..<8).map { "together\($0)" }
            let (stop, counts) = (StopFlag(), (writes: Counter(), reads: Counter()))
            let enough = 50
            let writer = Workers(1) { _ in
                Result { () throws in
                    let connection = try RedisConnection(port: ports[0])
                    var count = 0
                    while !stop.isRaised {
                        count += 1
                        let reply = try connection.call(["MSET"] + keys.flatMap { [$0, "\(count)"] })
                        guard reply == .ok else { throw TestFailure("MSET was answered \(reply)") }
                        counts.writes.add()
                    }
                }
            }
            let readers = Workers(2) { number in
                Result { () throws in
                    var connections = try ports.map { try RedisConnection(port: $0) }
                    connections.append(connections.removeFirst())
                    var (reads, latest) = (0, 0)
                    while !stop.isRaised {
                        // Hops from node to node: what one showed the next may not have forgotten.
                        let reply = try connections[(reads + number) % connections.count].call(["MGET"] + keys)
                        // A machine that stood still for a moment: nothing was read, so ask again.
                        if reply.errorText?.hasPrefix("LOADING") == true { continue }
                        let values = Set(reply.elements?.map { $0.text ?? "0" } ?? [])
                        guard values.count == 1, let seen = values.first.flatMap({ Int($0) }) else {
                            throw TestFailure("not one moment: \(reply)")
                        }
                        guard seen >= latest else { throw TestFailure("\(seen) seen after \(latest)") }
                        (reads, latest) = (reads + 1, seen)
                        counts.reads.add()
                    }
                }
            }
            let stretch = Stretch(.seconds(4))
            while stretch.goesOn(until: min(counts.writes.value, counts.reads.value) > enough) {
                pause(.milliseconds(100))
            }
            stop.raise()
            for result in writer.join() + readers.join() { try result.get() }
            #expect(counts.writes.value > enough && counts.reads.value > enough)
        }

        @Test func `a burst of commands in small pieces is answered whole`() throws {
            let node = try DaemonProcess.single(sandbox)
            let connection = try node.connect()
            let bytes = (1...20).flatMap { encode(["SET", "k\($0)", "v\($0)"]) + encode(["GET", "k\($0)"]) }
            for start in stride(from: 0, to: bytes.count, by: 7) {
                try connection.socket.write(Array(bytes[start..<min(start + 7, bytes.count)]))
            }
            for number in 1...20 {
                try #require(try connection.receive() == .ok)
                try #require(try connection.receive() == .text("v\(number)"))
            }
        }
    }
}
