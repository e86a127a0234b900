import Glibc
import RESP
import Testing

extension ProcessTests {
    @Suite("One node: durability and readiness") struct SingleNodeTests {
        private let sandbox = Sandbox.current!

        @Test func `an acknowledged SET survives kill -9, again and again`() throws {
            let node = try DaemonProcess.single(sandbox)
            for round in 1...5 {
                #expect(try node.connect()("SET", "k\(round)", "v\(round)") == .ok)
                try node.kill()
                try node.start()
                try node.waitUntilServing()
                let connection = try node.connect()
                for earlier in 1...round {
                    #expect(try connection("GET", "k\(earlier)") == .text("v\(earlier)"))
                }
            }
        }

        @Test func `every kind of write survives kill -9 and a clean stop`() throws {
            let node = try DaemonProcess.single(sandbox)
            let connection = try node.connect()
            let writes: [Command] = [
                ["SET", "a", "1"], ["SET", "gone", "1"], ["DEL", "gone"], ["APPEND", "b", "x"], ["APPEND", "b", "y"],
                ["INCRBY", "n", "40"], ["INCR", "n"], ["MSET", "m1", "1", "m2", "2"], ["SET", "a", "2", "IFEQ", "1"],
                ["SET", "a", "3", "NX"], ["SET", "empty", ""],
            ]
            for reply in try connection.pipeline(writes) { #expect(reply.errorText == nil) }
            try node.kill()
            try node.start()
            try node.waitUntilServing()
            try checkWrites(node)
            #expect(try node.terminate() == .code(0))
            try node.start()
            try node.waitUntilServing()
            try checkWrites(node)
        }

        private func checkWrites(_ node: DaemonProcess) throws {
            let reply = try node.connect()("MGET", "a", "gone", "b", "n", "m1", "m2", "empty")
            #expect(
                reply == .array([.text("2"), .null, .text("xy"), .text("41"), .text("1"), .text("2"), .text("")]))
        }

        @Test func `binary keys and values come back byte for byte`() throws {
            let node = try DaemonProcess.single(sandbox)
            let bytes = (0...255).map { UInt8($0) } + [0x0D, 0x0A, 0x00]
            let connection = try node.connect()
            try connection.socket.write(encode(bytes: [Array("SET".utf8), bytes, bytes.reversed()]))
            #expect(try connection.receive() == .ok)
            try node.kill()
            try node.start()
            try node.waitUntilServing()
            let again = try node.connect()
            try again.socket.write(encode(bytes: [Array("GET".utf8), bytes]))
            #expect(try again.receive() == .bulk(bytes.reversed()))
        }

        /// From the first instant of the new process, as fast as loopback allows.
        @Test(arguments: [SIGKILL, SIGTERM])
        func `no data is answered before recovery is done`(end: Int32) throws {
            let node = try DaemonProcess.single(sandbox)
            let keys = 20_000
            try fill(node, keys: keys)
            try node.current.send(end)
            try node.current.wait()
            try node.start()
            let deadline = ContinuousClock.now + .patience
            var seen: [String: Int] = [:]
            var asked = 0
            repeat {
                asked += 1
                let (key, last) = ("k\(asked * 7_919 % keys)", "k\(keys - 1)")
                let answers = firstAnswers(
                    node,
                    [
                        ["PING"], ["GET", key], ["MGET", key, last], ["EXISTS", last], ["STRLEN", last], ["DBSIZE"],
                    ])
                for answer in answers {
                    let kind = answer.reply.map { $0.errorWord.map(String.init) ?? "answered" } ?? "no answer"
                    seen[kind, default: 0] += 1
                    guard let reply = answer.reply, reply.errorWord != "LOADING" else { continue }
                    let right: Expected =
                        switch answer.command[0] {
                        case "PING": .simple("PONG")
                        case "GET": .exactly(.text("v" + key.dropFirst()))
                        case "MGET": .exactly(.array([.text("v" + key.dropFirst()), .text("v\(keys - 1)")]))
                        case "EXISTS": 1
                        case "STRLEN": .exactly(.integer(Int64("v\(keys - 1)".utf8.count)))
                        default: .exactly(.integer(Int64(keys)))
                        }
                    #expect(right.matches(reply), "\(answer.command) was answered \(reply), not \(right)")
                }
                if answers.last?.reply?.integer != nil { break }
            } while ContinuousClock.now < deadline
            #expect(seen["answered", default: 0] > 0, "\(seen)")
        }

        private func fill(_ node: DaemonProcess, keys: Int) throws {
            let connection = try node.connect()
            for start in stride(from: 0, to: keys, by: 1_000) {
                let commands = (start..<min(start + 1_000, keys)).map { ["SET", "k\($0)", "v\($0)"] }
                for reply in try connection.pipeline(commands) where reply != .ok {
                    throw TestFailure("SET was answered \(reply)")
                }
            }
        }

        /// Each command's reply on one new connection; `nil` for those that got none.
        private func firstAnswers(_ node: DaemonProcess, _ commands: [Command]) -> [(command: Command, reply: Reply?)] {
            guard let connection = try? node.connect(timeout: .seconds(5)) else { return commands.map { ($0, nil) } }
            var open = true
            return commands.map { command in
                let reply = open ? try? connection.call(command) : nil
                open = reply != nil
                return (command, reply)
            }
        }

        @Test func `after the first PONG every command is taken`() throws {
            let node = try DaemonProcess.single(sandbox)
            #expect(try node.connect()("SET", "k", "v") == .ok)
            try node.kill()
            try node.start()
            try node.waitUntilReady()
            // A node of its own may still have to elect itself; a command waits for that.
            let connection = try node.connect()
            #expect(try connection("GET", "k") == .text("v"))
            #expect(try connection("SET", "k", "w") == .ok)
        }

        @Test func `the memory engine serves and forgets`() throws {
            let node = try DaemonProcess.single(sandbox, arguments: ["--storage", "memory"])
            #expect(try node.connect()("SET", "k", "v") == .ok)
            #expect(try node.connect()("GET", "k") == .text("v"))
            #expect(try node.terminate() == .code(0))
        }
    }
}

/// As `encode`, for arguments that are not text.
func encode(bytes arguments: [[UInt8]]) -> [UInt8] {
    arguments.reduce(into: Array("*\(arguments.count)\r\n".utf8)) { all, argument in
        all += Array("$\(argument.count)\r\n".utf8) + argument + [0x0D, 0x0A]
    }
}
