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
            let connection = try RedisConnection(port: port, timeout: .seconds(30))
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
            let stop = StopFlag()
            let writer = Workers(1) { _ in
                Result { () throws -> Int in
                    let connection = try RedisConnection(port: ports[0])
                    var count = 0
                    while !stop.isRaised {
                        count += 1
                        let reply = try connection.call(["MSET"] + keys.flatMap { [$0, "\(count)"] })
                        guard reply == .ok else { throw TestFailure("MSET was answered \(reply)") }
                    }
                    return count
                }
            }
            let readers = Workers(2) { number in
                Result { () throws -> Int in
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
                    }
                    return reads
                }
            }
            pause(.seconds(4))
            stop.raise()
            let writes = try writer.join()[0].get()
            for reads in readers.join() { #expect(try reads.get() > 50) }
            #expect(writes > 50)
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

/// What Redis' string commands do to a store that one client alone uses.
struct StringModel {
    private var values: [String: String] = [:]

    mutating func run(_ command: Command) -> Reply {
        let key = command[1]
        let old = values[key]
        switch command[0] {
        case "SET" where command.last == "NX":
            if old == nil { values[key] = command[2] }
            return old == nil ? .ok : .null
        case "SET" where command.count == 5:
            if old == command[4] { values[key] = command[2] }
            return old == command[4] ? .ok : .null
        case "SET":
            values[key] = command[2]
            return .ok
        case "GET": return old.map(Reply.text) ?? .null
        case "APPEND":
            values[key, default: ""] += command[2]
            return .integer(Int64(values[key]!.utf8.count))
        case "INCRBY":
            guard let number = Int64(old ?? "0"), "\(number)" == old ?? "0" else {
                return .error("ERR value is not an integer or out of range")
            }
            let (sum, overflow) = number.addingReportingOverflow(Int64(command[2])!)
            if overflow { return .error("ERR increment or decrement would overflow") }
            values[key] = "\(sum)"
            return .integer(sum)
        case "DEL": return .integer(Int64(command.dropFirst().count { values.removeValue(forKey: $0) != nil }))
        case "EXISTS": return .integer(Int64(command.dropFirst().count { values[$0] != nil }))
        case "STRLEN": return .integer(Int64(old?.utf8.count ?? 0))
        case "MGET": return .array(command.dropFirst().map { values[$0].map(Reply.text) ?? .null })
        case "MSET":
            for index in stride(from: 1, to: command.count, by: 2) { values[command[index]] = command[index + 1] }
            return .ok
        default: preconditionFailure("no model of \(command[0])")
        }
    }

    static func randomCommand(prefix: String, _ random: inout SplitMix64) -> Command {
        func key() -> String { "\(prefix)-\(Int.random(in: 0..<12, using: &random))" }
        func number() -> String { "\(Int.random(in: 0..<100, using: &random))" }
        return switch Int.random(in: 0..<16, using: &random) {
        case 0...3: ["GET", key()]
        case 4...6: ["SET", key(), number()]
        case 7: ["SET", key(), number(), "NX"]
        case 8: ["SET", key(), number(), "IFEQ", number()]
        case 9: ["APPEND", key(), number()]
        case 10...11: ["INCRBY", key(), number()]
        case 12: ["DEL", key(), key()]
        case 13: ["MGET", key(), key(), key()]
        case 14: ["MSET", key(), number(), key(), number()]
        default: Bool.random(using: &random) ? ["STRLEN", key()] : ["EXISTS", key(), key()]
        }
    }
}
