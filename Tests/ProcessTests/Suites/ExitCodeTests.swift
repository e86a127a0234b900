import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Exit codes: the number for systemd, the last line for people") struct ExitCodeTests {
        private let sandbox = Sandbox.current!

        @Test(arguments: [
            (
                "an unknown key", "[node]\nid = 1\n\n[raft]\nelection_timeot = \"300ms\"\n",
                ["election_timeot", ".toml:5:"]
            ),
            ("a bad value", "[raft]\nheartbeat_interval = \"soon\"\n", ["heartbeat_interval", ".toml:2:"]),
            ("a value of the wrong type", "[node]\nid = \"one\"\n", ["id", ".toml:2:"]),
            ("an unknown section", "[nodes]\nid = 1\n", ["nodes", ".toml:1:"]),
            ("no TOML", "[node\nid = 1\n", [".toml:1:"]),
            ("what both founds and joins", "[node]\nid = 1\njoin = \"a:1\"\npeers = \"1=a:1,2=b:1\"\n", ["node.join"]),
        ])
        func `78 with key and line for a bad configuration file`(name: String, file: String, words: [String]) throws {
            let path = sandbox.path + "/roost.toml"
            try file.write(toFile: path, atomically: true, encoding: .utf8)
            for arguments in [["--config", path], ["check-config", "--config", path]] {
                let run = try roostd(arguments)
                #expect(run.exit == .code(78), "\(name): \(run)")
                for word in words { #expect(run.lastLine.contains(word), "\(name): \(run.lastLine)") }
            }
        }

        @Test func `78 for a bad environment, a bad flag, a missing file and an open door`() throws {
            for (arguments, environment, word) in [
                ([], ["ROOST_RAFT_NO_SUCH": "1"], "ROOST_RAFT_NO_SUCH"),
                ([], ["ROOST_NODE_ID": "zero"], "ROOST_NODE_ID"),
                (["--config", sandbox.path + "/absent.toml"], [:], "absent.toml"),
                (["--listen-redis", "0.0.0.0:0"], [:], "protected"),
                (["--listen-redis", "127.0.0.1:70000"], [:], "70000"),
                (["--node-id", "4", "--peers", "1=127.0.0.1:1,2=127.0.0.1:2,3=127.0.0.1:3"], [:], "4"),
            ] as [([String], [String: String], String)] {
                let run = try roostd(arguments, environment: environment)
                #expect(run.exit == .code(78), "\(arguments) \(environment): \(run)")
                #expect(run.lastLine.contains(word), "\(run.lastLine)")
            }
        }

        @Test(arguments: [["--no-such-flag"], ["no-such-verb"], ["--node-id"]])
        func `64 for what is no command line of ours`(arguments: [String]) throws {
            #expect(try roostd(arguments).exit == .code(64))
        }

        @Test func `a good configuration is checked, printed and read back the same`() throws {
            let flags = ["--data-dir", sandbox.path + "/data", "--node-id", "2", "--election-timeout", "500ms"]
            #expect(try roostd(["check-config"] + flags).exit == .code(0))
            let printed = try roostd(flags + ["--print-config"])
            #expect(printed.exit == .code(0))
            let path = sandbox.path + "/printed.toml"
            try printed.output.write(toFile: path, atomically: true, encoding: .utf8)
            let again = try roostd(["--config", path, "--print-config"])
            #expect(settings(again.output) == settings(printed.output))
            #expect(settings(again.output).count > 30)
            #expect(printed.output.contains("500ms"))
            #expect(!FileManager.default.fileExists(atPath: sandbox.path + "/data"), "checking must write nothing")
            #expect(try roostd(["--version"]).exit == .code(0))
        }

        /// The lines without comments: those say where a value came from.
        private func settings(_ toml: String) -> [Substring] {
            toml.split(separator: "\n").filter { !$0.hasPrefix("#") }
        }

        @Test func `flags win over the environment, the environment over the file`() throws {
            let path = sandbox.path + "/roost.toml"
            try "[node]\nid = 3\ncluster_name = \"file\"\n[log]\nlevel = \"debug\"\n"
                .write(toFile: path, atomically: true, encoding: .utf8)
            let printed = try roostd(
                ["--config", path, "--print-config", "--node-id", "5"],
                environment: ["ROOST_NODE_ID": "4", "ROOST_NODE_CLUSTER_NAME": "environment"]
            ).output
            for line in ["id = 5", "cluster_name = \"environment\"", "level = \"debug\""] {
                #expect(printed.contains("\n" + line), "no line \(line) in\n\(printed)")
            }
        }

        @Test(arguments: ["--listen-redis", "--listen-peer", "--listen-http"])
        func `71 for a port in use`(flag: String) throws {
            let port = try FreePorts.next()
            let occupied = try ListeningSocket(port: port)
            defer { occupied.close() }
            // A node without peers has no use for a peer port.
            let founders = ["--peers", "1=127.0.0.1:\(port),2=127.0.0.1:1,3=127.0.0.1:2"]
            let run = try roostd(commandLine() + founders + [flag, "127.0.0.1:\(port)"])
            #expect(run.exit == .code(71), "\(run)")
            #expect(run.lastLine.contains("\(port)"), "\(run.lastLine)")
        }

        @Test func `66 for the directory of another node, another cluster or other founders`() throws {
            let cluster = try Cluster(sandbox)
            let node = cluster.nodes[0]
            for other in cluster.nodes { #expect(try other.terminate() == .code(0)) }
            let founders = "1=127.0.0.1:1,2=127.0.0.1:2,3=127.0.0.1:3"
            let directory = ["--data-dir", node.settings.directory]
            for arguments in [
                ["--node-id", "2", "--cluster-name", "test", "--peers", founders],
                ["--node-id", "1", "--cluster-name", "other", "--peers", founders],
                ["--node-id", "1", "--cluster-name", "test", "--peers", founders + ",4=127.0.0.1:4"],
            ] {
                let run = try roostd(anyPorts + directory + arguments)
                #expect(run.exit == .code(66), "\(arguments): \(run)")
            }
            // Addresses are no part of the identity, and the refusals did no harm.
            try cluster.restartDead()
            try cluster.waitUntilServing()
        }

        @Test func `75 for a directory that another process uses, which goes on undisturbed`() throws {
            let node = try DaemonProcess.single(sandbox)
            let run = try roostd(
                anyPorts + ["--data-dir", node.settings.directory, "--node-id", "1", "--cluster-name", "test"])
            #expect(run.exit == .code(75), "\(run)")
            #expect(try node.connect()("SET", "k", "v") == .ok)
        }

        @Test func `66 for a directory of a newer format, 65 for a damaged one`() throws {
            let node = try DaemonProcess.single(sandbox)
            #expect(try node.terminate() == .code(0))
            let path = node.settings.directory + "/IDENTITY"
            let identity = readText(path)
            #expect(identity.hasPrefix("roost-identity 1\n"), "\(identity)")
            for (text, code) in [
                (identity.replacing("roost-identity 1", with: "roost-identity 2"), 66),
                (identity.replacing("cluster-name test", with: "cluster-name tess"), 65), ("", 65),
            ] as [(String, Int32)] {
                // Atomically would be a file of its own, and the directory a copy.
                try text.write(toFile: path, atomically: false, encoding: .utf8)
                let run = try roostd(node.settings.commandLine.dropFirst().map(\.self))
                #expect(run.exit == .code(code), "\(text): \(run)")
            }
            try identity.write(toFile: path, atomically: false, encoding: .utf8)
            try node.start()
            try node.waitUntilServing()
        }

        @Test func `65 for a data directory whose database is gone`() throws {
            let node = try DaemonProcess.single(sandbox)
            #expect(try node.connect()("SET", "k", "v") == .ok)
            #expect(try node.terminate() == .code(0))
            // A node that lost its disk forgot its votes: it must not start as if it were new.
            try FileManager.default.removeItem(atPath: node.settings.directory + "/db")
            let run = try roostd(node.settings.commandLine.dropFirst().map(\.self))
            #expect(run.exit == .code(65), "\(run)")
        }

        @Test func `73 for a data directory that cannot be made`() throws {
            let file = sandbox.path + "/file"
            try "".write(toFile: file, atomically: true, encoding: .utf8)
            let run = try roostd(anyPorts + ["--data-dir", file + "/data"])
            #expect(run.exit == .code(73), "\(run)")
            #expect(run.lastLine.contains(file), "\(run.lastLine)")
        }

        /// Root may open everything, unless that right is taken from it.
        @Test(.enabled(if: geteuid() == 0 && Binaries.installed("setpriv") != nil, "needs root and setpriv"))
        func `77 for a data directory that belongs to somebody else`() throws {
            let directory = sandbox.path + "/foreign"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            guard chown(directory, 65_534, 65_534) == 0, chmod(directory, 0o700) == 0 else {
                throw SystemError("chown")
            }
            let run = try execute(
                [
                    Binaries.installed("setpriv")!, "--bounding-set", "-dac_override,-dac_read_search", "--",
                    Binaries.roostd,
                ] + anyPorts + ["--data-dir", directory])
            #expect(run.exit == .code(77), "\(run)")
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func `0 after an orderly stop, idle or under load`(signal: Int32) throws {
            let node = try DaemonProcess.single(sandbox)
            let load = WriteLoad(ports: [node.settings.redis], writers: 4, prefix: "stop")
            try eventually("some writes") { load.acknowledged > 100 ? () : nil }
            try node.current.send(signal)
            #expect(try node.current.wait() == .code(0))
            let ledger = load.stop()
            try node.start()
            try node.waitUntilServing()
            #expect(try ledger.violations(node.connect()) == [])
            try node.current.send(signal)
            #expect(try node.current.wait() == .code(0))
        }

        @Test func `a stop at any moment of the start leaves a directory that starts`() throws {
            let node = try DaemonProcess.single(sandbox)
            #expect(try node.connect()("SET", "k", "v") == .ok)
            #expect(try node.terminate() == .code(0))
            for delay in [0, 20, 100, 200, 300, 400, 500, 600, 700, 800, 1_000] {
                try node.start()
                pause(.milliseconds(delay))
                try node.current.send(SIGTERM)
                let exit = try node.current.wait()
                // Before the daemon has taken the signal over, the signal ends it.
                #expect(exit == .code(0) || exit == .signal(SIGTERM), "after \(delay) ms: \(exit)")
            }
            try node.start()
            try node.waitUntilServing()
            #expect(try node.connect()("GET", "k") == .text("v"))
        }

        // MARK: Running roostd to its end

        private let anyPorts = [
            "--listen-redis", "127.0.0.1:0", "--listen-peer", "127.0.0.1:0", "--listen-http", "127.0.0.1:0",
        ]

        private func commandLine() -> [String] { anyPorts + ["--data-dir", sandbox.newFolder("data")] }

        private func roostd(_ arguments: [String], environment: [String: String] = [:]) throws -> ProgramRun {
            try execute([Binaries.roostd] + arguments, environment: environment)
        }

        /// Runs it to its end; an end with a code of failure must come with its last line.
        private func execute(_ line: [String], environment: [String: String] = [:]) throws -> ProgramRun {
            let run = try sandbox.run(line, environment: environment)
            if case .code(let code) = run.exit, code != 0, code != 64 {
                #expect(
                    run.lastLine.wholeMatch(of: /(<\d>)?roostd: exit \d+ \(.+\): .+; .+/) != nil,
                    "the last line is: \(run.lastLine)")
                #expect(run.lastLine.contains("exit \(code) "))
            }
            return run
        }
    }
}
