import Testing

@testable import RoostNode

@Suite("Configuration: what is refused, and how it is said")
struct ConfigurationProblemTests {
    private func problems(
        _ flags: [String: String] = [:], environment: [String: String] = [:], toml: String? = nil
    ) -> [String] {
        let file = toml.map { ConfigurationFile(path: "roost.toml", text: $0) }
        let flags = flags.sorted { $0.key < $1.key }.compactMap { name, text in
            Setting.named(name).map { EffectiveConfiguration.Flag(setting: $0, text: text) }
        }
        do {
            _ = try EffectiveConfiguration(flags: flags, environment: environment, file: file)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test(arguments: [
        (
            "[raft]\n\nelecton_timeout = \"1s\"",
            "roost.toml:3: unknown key raft.electon_timeout; did you mean election_timeout?"
        ),
        ("[log]\nfile = \"x\"", "roost.toml:2: unknown key log.file; expected one of level, format"),
        ("[rafts]\n", "roost.toml:1: unknown section [rafts]; expected one of [node] [listen]"),
        ("id = 3", "roost.toml:1: unknown section [id]"),
        ("raft = 3", "roost.toml:1: raft must be a section, [raft]"),
        ("[raft]\nelection_timeout = 300", "roost.toml:2: raft.election_timeout = 300: expected a time such as 300ms"),
        ("[raft]\nelection_timeout = \"300\"", "roost.toml:2: raft.election_timeout = \"300\": expected a time"),
        (
            "[raft]\npre_vote = \"yes\"",
            "roost.toml:2: raft.pre_vote = \"yes\": expected yes or no (in TOML: true or false)"
        ),
        ("[limits]\nmax_key_bytes = 1.5", "roost.toml:2: limits.max_key_bytes = 1.5: expected a size such as 64MiB"),
        ("[limits]\nmax_clients = -1", "roost.toml:2: limits.max_clients = \"-1\": expected a whole number from 1 to"),
        ("[listen]\nredis = \":6400\"", "roost.toml:2: listen.redis = \":6400\": expected HOST:PORT"),
        ("[listen]\nredis = \"a:65536\"", "expected HOST:PORT or [IPV6]:PORT, with a port from 0 to 65535"),
        (
            "[storage]\nengine = \"RocksDB\"",
            "roost.toml:2: storage.engine = \"RocksDB\": expected one of rocksdb, memory"
        ),
        ("[node]\nid = 0", "roost.toml:2: node.id = \"0\": expected a whole number from 1"),
        ("[node.peers]\n1 = 3", "roost.toml:1: node.peers ="),
        ("[node]\npeers = \"1=a:1,1=b:2\"", "expected members such as 1=10.0.0.1:7400"),
        ("[node]\ncluster_name = \"a b\"", "expected 1 to 64 letters, digits, dots, dashes or underscores"),
        ("[raft]\nx = \n", "roost.toml:2: not valid TOML: "),
        ("[raft]\n[raft]\n", "roost.toml:2: not valid TOML: "),
        ("[raft]\u{0}", "roost.toml: not a text file"),
    ]) func `in the file, with its line`(toml: String, expected: String) throws {
        let found = problems(toml: toml)
        #expect(found.count == 1)
        #expect(try #require(found.first).contains(expected), "\(found)")
    }

    @Test func `in the environment, with the variable`() {
        #expect(
            problems(environment: ["ROOST_RAFT_PREVOTE": "no", "ROOST_LOG_LEVEL": "loud"]) == [
                "ROOST_LOG_LEVEL: log.level = \"loud\": expected one of trace, debug, info, notice, warning, error, critical",
                "ROOST_RAFT_PREVOTE: unknown variable; did you mean ROOST_RAFT_PRE_VOTE?",
            ])
        #expect(problems(environment: ["ROOST_NODES": "a:1", "ROOSTER": "x", "ROOST_STRICT": "1"]).isEmpty)
    }

    @Test func `on the command line, with the flag`() {
        #expect(
            problems(["raft.pre_vote": "maybe"]) == [
                "--pre-vote: raft.pre_vote = \"maybe\": expected yes or no (in TOML: true or false)"
            ])
    }

    @Test func `a bad value is refused even where another source overrides it`() {
        #expect(problems(["limits.max_clients": "5"], toml: "[limits]\nmax_clients = 0").count == 1)
    }

    @Test func `all problems are found at once, those of the file by line`() throws {
        let toml = "[limits]\nmax_clients = 0\nmax_clients_ = 1\nmax_arguments = 0\n[what]"
        let found = problems(["log.level": "?"], toml: toml)
        #expect(
            found.map { String($0.prefix { $0 != " " }) } == [
                "roost.toml:2:", "roost.toml:3:", "roost.toml:4:", "roost.toml:5:", "--log-level:",
            ])
    }

    @Test(arguments: [
        (["raft.heartbeat_interval": "101ms"], "--heartbeat-interval: raft.heartbeat_interval is more than a third of"),
        (
            ["node.id": "3", "node.peers": "1=a:1,2=b:1"],
            "names the members 1, 2, but not this node, whose node.id is 3"
        ),
        (["node.peers": "1=a:1,2=b:1,3=a:1"], "gives the members 1 and 3 the same address a:1"),
        (["listen.http": "127.0.0.1:6400"], "listen.http is 127.0.0.1:6400, which listen.redis takes already"),
        (
            ["listen.http": "0.0.0.0:7400", "listen.protected_mode": "no"],
            "listen.http is 0.0.0.0:7400, which listen.peer takes already"
        ),
        (["listen.redis": "0.0.0.0:6400"], "which others can reach, and nothing authenticates them"),
        (["listen.peer": "10.0.0.1:7400"], "set listen.protected_mode to no (--protected-mode no)"),
        (["listen.http": "node.example:80"], "listen.http is node.example:80, which others can reach"),
        (
            ["listen.redis": "0.0.0.0:6400", "listen.protected_mode": "no", "node.peers": "1=a:1,2=b:1"],
            "listen.redis is a wildcard, which clients cannot be told to dial; set advertise.redis"
        ),
        (["limits.max_value_bytes": "65MiB"], "(65MiB) must not be more than limits.max_request_bytes (64MiB)"),
        (["limits.max_key_bytes": "65MiB"], "limits.max_key_bytes (65MiB) must not be more than"),
        (["raft.max_append_bytes": "9MiB"], "(9MiB) must not be more than raft.max_inflight_bytes (8MiB)"),
        (["raft.max_uncommitted_bytes": "1KiB"], "limits.max_batch_bytes (1MiB) must not be more than"),
        (["limits.peer_max_message_bytes": "64MiB"], "(64MiB) must be 64KiB more than limits.max_request_bytes and"),
        (["raft.lease_reads": "yes", "raft.check_quorum": "no"], "raft.lease_reads needs raft.check_quorum"),
        (
            ["node.join": "10.0.0.9:7400", "node.peers": "1=10.0.0.1:7400,2=10.0.0.2:7400"],
            "node.join joins a cluster and node.peers founds one"
        ),
        (
            ["node.join": "10.0.0.9:7400", "listen.peer": "0.0.0.0:7400", "listen.protected_mode": "no"],
            "listen.peer is a wildcard, which the cluster cannot be told to dial; set advertise.peer"
        ),
        (
            ["node.join": "10.0.0.9:7400", "listen.peer": "127.0.0.1:0"],
            "listen.peer has port 0, and a node that joins must say where it is dialled"
        ),
    ]) func `values that do not fit together`(flags: [String: String], expected: String) throws {
        let found = problems(flags)
        #expect(found.count == 1)
        #expect(try #require(found.first).contains(expected), "\(found)")
    }

    @Test(arguments: [
        ["listen.redis": "0.0.0.0:6400", "listen.protected_mode": "no"],
        ["listen.redis": "localhost:6400", "listen.peer": "[::1]:7400", "listen.http": "127.1.2.3:1"],
        ["listen.redis": "127.0.0.1:0", "listen.peer": "127.0.0.1:0", "listen.http": "127.0.0.1:0"],
        ["listen.redis": "127.0.0.1:9", "listen.peer": "127.0.0.2:9"],
        ["raft.heartbeat_interval": "100ms"],
        ["node.id": "7"],
        ["limits.peer_max_message_bytes": "66624KiB"],
    ]) func `values that just fit together`(flags: [String: String]) {
        #expect(problems(flags).isEmpty)
    }

    @Test func `the process ends with the first problem and the number of the others`() {
        let problems = ["a", "b", "c"].map { ConfigurationError.Problem(source: .flag("x"), message: $0) }
        #expect(
            ConfigurationError(problems).failure.lastLine
                == "roostd: exit 78 (configuration): --x: a (and 2 more, see above); correct it and try roostd check-config"
        )
        #expect(ConfigurationError([problems[0]]).failure.cause == "--x: a")
    }

    @Test func `a file that cannot be read is a configuration failure, one that may not be read a permission failure`()
    {
        let missing = #expect(throws: NodeFailure.self) { try ConfigurationFile.read(path: "/nowhere/roost.toml") }
        #expect(missing?.code == .configuration)
        #expect(missing?.cause == "--config /nowhere/roost.toml: No such file or directory")
        let directory = #expect(throws: NodeFailure.self) { try ConfigurationFile.read(path: "/") }
        #expect(directory?.code == .configuration)
        #expect(FileBytes.Failure(errno: 13).isPermission)
        let huge = #expect(throws: FileBytes.Failure.self) { try FileBytes.read("/dev/zero", limit: 1 << 16) }
        #expect("\(huge!)" == "too large")
    }
}
