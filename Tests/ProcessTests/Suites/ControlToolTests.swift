import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("roostctl against a cluster") struct ControlToolTests {
        private let sandbox = Sandbox.current!

        @Test func `keys, with every node as the only one it knows`() throws {
            let cluster = try Cluster(sandbox)
            for node in cluster.nodes {
                let nodes = ["--nodes", "127.0.0.1:\(node.settings.redis)"]
                let key = "key\(node.node)"
                #expect(try roostctl(nodes + ["get", key]).exit == .code(1))
                #expect(try roostctl(nodes + ["set", key, "a value"]) == Run("OK\n"))
                #expect(try roostctl(nodes + ["get", key]) == Run("a value\n"))
                #expect(try roostctl(nodes + ["append", key, "s"]) == Run("8\n"))
                #expect(try roostctl(nodes + ["-o", "plain", "get", key]) == Run("a values\n"))
                #expect(try roostctl(nodes + ["delete", key]) == Run("1\n"))
                #expect(try roostctl(nodes + ["delete", key]) == Run("0\n"))
                #expect(try roostctl(nodes + ["incr", key]) == Run("1\n"))
                #expect(try roostctl(nodes + ["incr", key, "41"]) == Run("42\n"))
                #expect(try roostctl(nodes + ["incr", key, "--", "-2"]) == Run("40\n"))
                let json = try roostctl(nodes + ["-o", "json", "get", key]).output
                #expect(try object(json)["value"] as? String == "40")
                #expect(try roostctl(nodes + ["set", key, "word"]).exit == .code(0))
                #expect(try roostctl(nodes + ["incr", key]).exit == .code(3))
            }
            #expect(try roostctl(["no-such-verb"]).exit == .code(64))
        }

        @Test func `it works on while the leader is dead, and status says degraded`() throws {
            let cluster = try Cluster(sandbox)
            let all = ["--nodes", cluster.nodes.map { "127.0.0.1:\($0.settings.redis)" }.joined(separator: ",")]
            let healthy = try eventually("status is healthy") {
                let run = try roostctl(all + ["status"])
                return run.exit == .code(0) ? run : nil
            }
            #expect(healthy.output.contains("leader"))
            let leader = try cluster.leader()
            try leader.kill()
            // At once: it has to find the new leader by itself.
            #expect(try roostctl(all + ["set", "k", "v"]).exit == .code(0))
            #expect(try roostctl(all + ["get", "k"]) == Run("v\n"))
            let degraded = try roostctl(all + ["status"])
            #expect(degraded.exit == .code(1), "\(degraded.output)")
            let json = try object(roostctl(all + ["-o", "json", "status"]).output)
            #expect((json["nodes"] as? [[String: Any]])?.count == 3)
            try leader.start()
            try cluster.waitUntilServing()
            try eventually("status is healthy again") { try roostctl(all + ["status"]).exit == .code(0) ? () : nil }
        }

        @Test func `without a majority it says so, by exit code`() throws {
            // A leader that lost its majority notices it late enough for a busy machine to send it something before.
            let cluster = try Cluster(
                sandbox,
                arguments: ["--election-timeout", "5s", "--request-timeout", "2s", "--park-timeout", "2s"])
            let all = ["--nodes", cluster.nodes.map { "127.0.0.1:\($0.settings.redis)" }.joined(separator: ",")]
            let leader = try cluster.leader()
            let followers = try cluster.followers()
            #expect(try roostctl(all + ["set", "k", "old"]).exit == .code(0))
            for node in followers { try node.pause() }
            // Proposed, and then nobody answers: it must not be sent again.
            let one = ["--nodes", "127.0.0.1:\(leader.settings.redis)", "--timeout", "12"]
            #expect(try roostctl(one + ["incr", "n"]).exit == .code(5))
            // Nothing of this one is proposed.
            try eventually("it has noticed") { try leader.status().role == "leader" ? nil : () }
            #expect(
                try roostctl(["--nodes", "127.0.0.1:\(leader.settings.redis)", "--timeout", "3", "set", "k", "new"])
                    .exit == .code(4))
            for node in followers { try node.kill() }
            #expect(try roostctl(all + ["status"]).exit == .code(2))
            try cluster.restartDead()
            try cluster.waitUntilServing()
            #expect(try roostctl(all + ["get", "k"]) == Run("old\n"))
        }

        @Test func `it never talks to two clusters in one command`() throws {
            let here = try DaemonProcess.single(sandbox)
            var settings = try DaemonProcess.Settings(sandbox)
            settings.clusterName = "elsewhere"
            let there = DaemonProcess(settings, sandbox: sandbox)
            try there.start()
            try there.waitUntilServing()
            let both = ["--nodes", "127.0.0.1:\(here.settings.redis),127.0.0.1:\(there.settings.redis)"]
            for command in [["set", "k", "v"], ["get", "k"], ["status"]] {
                #expect(try roostctl(both + command).exit == .code(6), "\(command)")
            }
            for node in [here, there] { #expect(try node.connect()("EXISTS", "k") == .integer(0)) }
        }

        private struct Run: Equatable {
            var exit = ChildProcess.Exit.code(0)
            var output: String
            init(_ output: String) { self.output = output }
        }

        private func roostctl(_ arguments: [String]) throws -> Run {
            let end = try sandbox.run([Binaries.roostctl] + arguments)
            var run = Run(end.output)
            run.exit = end.exit
            return run
        }

        private func object(_ json: String) throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
                throw TestFailure("no JSON object: \(json)")
            }
            return object
        }
    }
}
