import RESP
import Testing

extension ProcessTests {
    @Suite("Three nodes: any node takes any command") struct CommandTests {
        private let sandbox = Sandbox.current!

        @Test func `the command table on the leader and on both followers, in RESP2 and RESP3`() throws {
            let cluster = try Cluster(sandbox)
            let leader = try cluster.leader()
            for node in cluster.nodes {
                for version in [2, 3] {
                    let connection = try node.connect()
                    if version == 3 { #expect(try connection("HELLO", "3").fields?["proto"] == .integer(3)) }
                    let place = "node \(node.node), \(node === leader ? "leader" : "follower"), RESP\(version)"
                    try run(connection, version: version, place: place)
                    #expect(throws: ConnectionError.closed, "QUIT closes: \(place)") { try connection.receive() }
                }
            }
        }

        /// Keeps the table honest: what it says of Redis is what Redis says.
        @Test(
            .enabled(if: Binaries.installed("redis-server") != nil, "redis-server is not installed"), arguments: [2, 3])
        func `the table's Redis rows, on a real Redis`(version: Int) throws {
            let port = try FreePorts.next()
            let redis = try ChildProcess(
                [Binaries.installed("redis-server")!, "--port", "\(port)", "--save", "", "--dir", sandbox.path],
                environment: Binaries.environment, output: sandbox.path + "/redis.log")
            sandbox.adopt(redis)
            let connection = try eventually("redis listens") { try RedisConnection(port: port) }
            if version == 3 { _ = try connection("HELLO", "3") }
            try run(connection, version: version, place: "Redis", only: \.asRedis)
        }

        private func run(
            _ connection: RedisConnection, version: Int, place: String,
            only isWanted: (CommandRow) -> Bool = { _ in true }
        ) throws {
            for row in CommandTable.rows where isWanted(row) {
                let expected = version == 3 ? row.expected3 : row.expected
                let reply = try connection.call(row.command)
                #expect(
                    expected.matches(reply),
                    "\(place): \(row.command.joined(separator: " ")) was answered \(reply), not \(expected)")
            }
        }

        @Test func `HELLO says who answers and switches the protocol`() throws {
            let cluster = try Cluster(sandbox)
            for node in cluster.nodes {
                let connection = try node.connect()
                let second = try connection("HELLO", "2")
                #expect(second.elements != nil, "RESP2 has no maps: \(second)")
                #expect(try connection("GET", "nothing") == .null)
                let third = try connection("HELLO", "3", "SETNAME", "greeter")
                guard case .map = third else { throw TestFailure("HELLO 3 was answered \(third)") }
                for key in ["server", "version", "proto", "id", "mode", "role", "modules"] {
                    #expect(third.fields?[key] != nil, "HELLO lacks \(key): \(third)")
                }
                #expect(try connection("CLIENT", "GETNAME") == .text("greeter"))
                #expect(
                    try connection("HELLO").fields?["proto"] == .integer(3), "HELLO without a version changes nothing")
                guard case .map = try connection("COMMAND", "DOCS", "get") else {
                    throw TestFailure("COMMAND DOCS is no map in RESP3")
                }
            }
        }

        @Test func `a value written on any node is read on every node at once`() throws {
            let cluster = try Cluster(sandbox)
            let connections = try cluster.nodes.map { try $0.connect() }
            for round in 1...50 {
                for (writer, from) in connections.enumerated() {
                    let value = "\(round)-\(writer)"
                    try #require(try from("SET", "shared", value) == .ok)
                    for (reader, to) in connections.enumerated() {
                        let read = try to("GET", "shared")
                        try #require(read == .text(value), "written on \(writer + 1), read on \(reader + 1)")
                    }
                }
            }
        }

        @Test func `ROLE and INFO tell the truth, and ROLE names the leader's port`() throws {
            let cluster = try Cluster(sandbox)
            let leader = try cluster.leader()
            for node in cluster.nodes {
                let role = try node.connect()("ROLE").elements ?? []
                let info = try node.connect()("INFO", "replication").text ?? ""
                if node === leader {
                    #expect(role.first == .text("master"), "\(role)")
                    #expect(role.count == 3 && role[2].elements?.count == 2, "two replicas: \(role)")
                    #expect(info.contains("role:master"))
                } else {
                    #expect(role.first == .text("slave"), "\(role)")
                    #expect(role.count == 5, "\(role)")
                    #expect(role.dropFirst().first == .text("127.0.0.1"), "\(role)")
                    #expect(role.dropFirst(2).first == .integer(Int64(leader.settings.redis)), "\(role)")
                    #expect(info.contains("role:slave"))
                    #expect(info.contains("master_port:\(leader.settings.redis)"))
                }
            }
        }

        @Test func `COMMAND lists what there is`() throws {
            let node = try DaemonProcess.single(sandbox)
            let connection = try node.connect()
            let rows = try connection("COMMAND").elements ?? []
            #expect(try connection("COMMAND", "COUNT") == .integer(Int64(rows.count)))
            let names = Set(rows.compactMap { $0.elements?.first?.text })
            let wanted: Set = [
                "ping", "echo", "hello", "client", "command", "select", "info", "role", "get", "set", "del", "exists",
                "append", "incr", "incrby", "mget", "mset", "strlen", "dbsize", "flushall", "config", "quit",
                "roost.status",
            ]
            #expect(wanted.subtracting(names).isEmpty)
            // What is listed can be called: a command of the list is never unknown.
            for name in names where name != "quit" {
                let reply = try node.connect()(name)
                #expect(reply.errorText?.hasPrefix("ERR unknown command") != true, "\(name): \(reply)")
            }
        }

        @Test func `ROOST.STATUS agrees with the cluster`() throws {
            let cluster = try Cluster(sandbox)
            let leader = try cluster.leader()
            #expect(try leader.connect()("SET", "k", "v") == .ok)
            for node in cluster.nodes {
                let status = try eventually("node \(node.node) has applied what the leader has") {
                    let status = try node.status()
                    return try status.ready && status.applied == leader.status().commit ? status : nil
                }
                #expect(status.node == node.node)
                #expect(status.clusterName == "test")
                #expect(try status.clusterId == leader.status().clusterId)
                #expect(status.leader == leader.node)
                #expect(status.leaderRedis == "127.0.0.1:\(leader.settings.redis)")
                #expect(status.role == (node === leader ? "leader" : "follower"))
                #expect(status.voters.sorted() == [1, 2, 3])
                #expect(status.reasons.isEmpty)
                #expect(status.redis == "127.0.0.1:\(node.settings.redis)")
                #expect(status.peer == "127.0.0.1:\(node.settings.peer)")
                #expect(status.http == "127.0.0.1:\(node.settings.http)")
                #expect(status.applied <= status.commit && status.commit <= status.last)
                #expect(status.durable <= status.last && status.first <= status.last)
                #expect(status.term > 0 && status.uptimeSeconds >= 0)
                if node === leader {
                    #expect(status.peers.map(\.node).sorted() == [1, 2, 3].filter { $0 != node.node })
                }
            }
        }

        @Test func `inline commands and the stock tools work`() throws {
            let node = try DaemonProcess.single(sandbox)
            let connection = try node.connect()
            try connection.socket.write(Array("SET greeting \"hello world\"\r\nGET greeting\n\r\nPING\r\n".utf8))
            #expect(try connection.receive() == .ok)
            #expect(try connection.receive() == .text("hello world"))
            #expect(try connection.receive() == .simple("PONG"))
            let port = "\(node.settings.redis)"
            #expect(try tool("redis-cli", "-p", port, "SET", "k", "v") == "OK\n")
            #expect(try tool("redis-cli", "-3", "-p", port, "GET", "k") == "v\n")
            let table = try tool("redis-benchmark", "-p", port, "-t", "set,get", "-n", "2000", "-c", "16", "--csv")
            #expect(table.contains("\"SET\"") && table.contains("\"GET\""), "\(table)")
        }

        /// What the tool printed.
        private func tool(_ arguments: String...) throws -> String {
            guard let path = Binaries.installed(arguments[0]) else {
                throw TestFailure("\(arguments[0]) is not installed")
            }
            let output = sandbox.newFolder(arguments[0])
            let process = try ChildProcess(
                [path] + arguments.dropFirst(), environment: Binaries.environment, output: output)
            sandbox.adopt(process)
            let exit = try process.wait()
            guard exit == .code(0) else { throw TestFailure("\(arguments): \(exit): \(readText(output))") }
            return readText(output)
        }
    }
}
