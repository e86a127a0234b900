import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Members come and go") struct MembershipTests {
        private let sandbox = Sandbox.current!

        @Test func `a node joins under load with one command, is promoted by itself, and counts`() throws {
            let cluster = try ElasticCluster(sandbox)
            let load = WriteLoad(ports: cluster.ports, writers: 4, prefix: "join")
            try eventually("some writes") { load.acknowledged > 100 ? () : nil }
            let follower = try cluster.follower()
            let (fourth, took) = try timed { try cluster.grow(through: follower) }
            print("joined and promoted in \(took)")
            #expect(try fourth.id == 4)
            let five = try cluster.grow(through: fourth)
            #expect(try five.status().voters == [1, 2, 3, 4, 5])

            // Three of five, two of which are new: without them there is no majority.
            let founders = cluster.nodes.prefix(3)
            let leader = try cluster.leader()
            let victims = founders.filter { $0 !== leader }
            for node in victims.prefix(2) { try node.kill() }
            let before = load.acknowledged
            try eventually("writes go on with the new nodes' votes") { load.acknowledged > before + 100 ? () : nil }
            let ledger = load.stop()
            print(ledger.summary)
            #expect(try ledger.violations(fourth.connect()) == [])
        }

        @Test func `a removed follower ends with 0 and stays down; its id is never used again`() throws {
            let cluster = try ElasticCluster(sandbox)
            let control = ControlTool(sandbox: sandbox, ports: cluster.ports)
            let follower = try cluster.follower()
            let id = try follower.id
            let run = try control("member", "remove", "\(id)")
            #expect(run.exit == .code(0), "\(run)")
            for attempt in 1...3 {
                #expect(try follower.current.wait() == .code(0), "attempt \(attempt)")
                #expect(
                    follower.log.split(separator: "\n").last?.contains("node \(id) was removed from the cluster")
                        == true)
                if attempt < 3 { try follower.start() }
            }
            let again = try control("member", "remove", "\(id)")
            #expect(again.exit == .code(0), "asking twice is as good as once: \(again)")
            let add = try control("member", "add", "127.0.0.1:1", "--id", "\(id)")
            #expect(add.exit == .code(3) && add.errors.contains("never used again"), "\(add)")

            #expect(try cluster.leader().connect()("SET", "k", "v") == .ok)
            let newcomer = try cluster.grow()
            #expect(try newcomer.id == 4)
            #expect(try newcomer.connect()("GET", "k") == .text("v"))
        }

        @Test func `a node that was down when it was removed learns of it from the others`() throws {
            let cluster = try ElasticCluster(sandbox)
            let follower = try cluster.follower()
            let id = try follower.id
            try follower.kill()
            try cluster.remove(id)
            try follower.start()
            #expect(try follower.current.wait() == .code(0))
            try follower.start()
            #expect(try follower.current.wait() == .code(0))
        }

        @Test func `a node that was down learns of its removal under a leader that it never met`() throws {
            let cluster = try ElasticCluster(sandbox)
            let absent = try cluster.follower()
            let id = try absent.id
            try absent.kill()
            try cluster.remove(id)
            let newcomer = try cluster.grow()
            #expect(try cluster.member("TRANSFER", "\(newcomer.id)") == .ok)
            try eventually("the newcomer leads") { try newcomer.status().role == "leader" ? () : nil }
            try absent.start()
            #expect(try absent.current.wait() == .code(0))
        }

        @Test func `the leader is removed: it hands over, ends with 0, and the others go on`() throws {
            let cluster = try ElasticCluster(sandbox)
            let load = WriteLoad(ports: cluster.ports, writers: 4, prefix: "leader")
            try eventually("some writes") { load.acknowledged > 100 ? () : nil }
            let leader = try cluster.leader()
            let id = try leader.id
            let control = ControlTool(sandbox: sandbox, ports: [leader.settings.redis])
            let run = try control("member", "remove", "\(id)")
            #expect(run.exit == .code(0), "\(run)")
            #expect(try leader.current.wait() == .code(0))
            let before = load.acknowledged
            try eventually("the others go on") { load.acknowledged > before + 100 ? () : nil }
            #expect(try cluster.leader().status().voters.count == 2)
            let ledger = load.stop()
            print(ledger.summary)
            #expect(try ledger.violations(cluster.leader().connect()) == [])
        }

        @Test func `a dead node is replaced under a new id, and the cluster bears the next death`() throws {
            let cluster = try ElasticCluster(sandbox)
            #expect(try cluster.leader().connect()("SET", "k", "v") == .ok)
            let dead = try cluster.follower()
            let id = try dead.id
            try dead.kill()
            try FileManager.default.removeItem(atPath: dead.settings.directory)
            try cluster.remove(id)
            let replacement = try cluster.grow()
            try cluster.leader().kill()
            try replacement.waitUntilServing()
            #expect(try replacement.connect()("GET", "k") == .text("v"))
            #expect(try replacement.connect()("SET", "k", "w") == .ok)
        }

        @Test func `a single node grows to three, which lose it and shrink to one`() throws {
            let cluster = try ElasticCluster(sandbox, founders: 1)
            let founder = cluster.nodes[0]
            #expect(try founder.connect()("SET", "k", "v") == .ok)
            try cluster.grow(through: founder)
            let last = try cluster.grow(through: founder)
            #expect(try last.status().voters == [1, 2, 3])
            for id in [1, 2] as [UInt64] { try cluster.remove(id) }
            try eventually("one voter is left, alone") { try last.status().voters == [3] ? () : nil }
            try last.waitUntilServing()
            #expect(try last.connect()("GET", "k") == .text("v"))
            #expect(try last.connect()("SET", "k", "w") == .ok)
            let refused = try last.connect()("ROOST.MEMBER", "REMOVE", "3")
            #expect(refused.errorText == "ERR node 3 is the only voter")
            // A restart of the survivor, whose unit file still says --join.
            #expect(try last.terminate() == .code(0))
            try last.start()
            try last.waitUntilServing()
            #expect(last.log.contains("--join is ignored"))
            #expect(try last.connect()("GET", "k") == .text("w"))
        }

        @Test func `a learner that shall stay one does, and does not count`() throws {
            let cluster = try ElasticCluster(sandbox)
            let control = ControlTool(sandbox: sandbox, ports: cluster.ports)
            let newcomer = try cluster.newcomer()
            let address = "127.0.0.1:\(newcomer.settings.peer)"
            let added = try control("member", "add", address, "--id", "9", "--learner")
            #expect(added.exit == .code(0) && added.output.contains("node 9"), "\(added)")
            try newcomer.start()
            try newcomer.waitUntilServing()
            pause(.milliseconds(500))
            #expect(try newcomer.status().learners == [9])
            #expect(try newcomer.status().role == "learner")
            let list = try control("member", "list")
            #expect(list.output.split(separator: "\n").count { $0.contains("learner") } == 1, "\(list)")
            let promoted = try control("member", "promote", "9")
            #expect(promoted.exit == .code(0), "\(promoted)")
            try cluster.waitUntilVoter(newcomer)
        }

        @Test func `what cannot be done is refused with the way out`() throws {
            let cluster = try ElasticCluster(sandbox)
            let (leader, follower) = (try cluster.leader(), try cluster.follower())
            let connection = try follower.connect()
            let id = try leader.id
            let readOnly = try connection("ROOST.MEMBER", "REMOVE", "3").errorText ?? ""
            #expect(
                readOnly.hasPrefix("READONLY node \(id) leads")
                    && readOnly.hasSuffix("127.0.0.1:\(leader.settings.redis)"), "\(readOnly)")
            #expect(try connection("ROOST.MEMBER", "REMOVE", "x").errorText?.hasPrefix("ERR 'x' is no node id") == true)
            #expect(try connection("ROOST.MEMBER", "LIST").elements?.count == 3)
            #expect(
                try connection("ROOST.MEMBER", "DANCE").errorText?.hasPrefix("ERR unknown subcommand 'DANCE'") == true)
            let stranger = try cluster.member("PROMOTE", "77").errorText ?? ""
            #expect(stranger.hasPrefix("ERR node 77 is no member; the members are 1, 2, 3"), "\(stranger)")

            let third = try #require(cluster.running.first { $0 !== leader && $0 !== follower })
            try third.pause()
            // Longer than a leader counts on somebody whom it does not hear.
            pause(.seconds(3))
            let needed = try leader.connect()("ROOST.MEMBER", "REMOVE", "\(follower.id)").errorText ?? ""
            #expect(needed.contains("no majority"), "\(needed)")
            try third.resume()
        }

        @Test func `69 where there is no cluster to join, or not that one`() throws {
            let cluster = try ElasticCluster(sandbox, founders: 1)
            for arguments in [["--join-timeout", "500ms"], ["--cluster-name", "other"]] {
                var settings = try DaemonProcess.Settings(sandbox, node: 50)
                settings.join = try arguments[0] == "--cluster-name" ? cluster.nodes[0].settings.peer : FreePorts.next()
                settings.arguments = arguments
                let daemon = DaemonProcess(settings, sandbox: sandbox)
                try daemon.start()
                #expect(try daemon.current.wait() == .code(69), "\(arguments): \(daemon.log)")
                #expect(!FileManager.default.fileExists(atPath: settings.directory + "/IDENTITY"))
            }
            #expect(try cluster.nodes[0].status().learners == [])
        }
    }
}
