import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("A founder whose directory was wiped does not undo what was acknowledged") struct WipedDirectoryTests {
        private let sandbox = Sandbox.current!

        /// Node 3 was never up, so it cannot know that node 1 had another directory.
        @Test func `with a founder that never met it, it elects nobody; those who met it refuse it`() throws {
            let nodes = try foundersNotStarted(["--park-timeout", "2s"])
            try nodes[0].start()
            try nodes[1].start()
            for node in nodes[0...1] { try node.waitUntilServing() }
            #expect(try nodes[1].connect()("SET", "acknowledged", "yes") == .ok)

            try nodes[0].kill()
            try FileManager.default.removeItem(atPath: nodes[0].settings.directory)
            try nodes[0].start()
            try nodes[2].start()
            for node in nodes { try node.waitUntilReady() }
            // Two of three could be a majority, if they were allowed to be.
            for node in nodes {
                let reply = try node.connect()("GET", "acknowledged")
                #expect(
                    reply.errorText?.hasPrefix("LOADING") == true || reply == .text("yes"),
                    "node \(node.node): \(reply)")
            }
            try eventually("node 2 says what is wrong") {
                let status = try nodes[1].get("/status").body
                return status.contains("its directory was wiped or a second node uses its id") ? () : nil
            }
        }

        /// They would be a majority, and have promised nothing; but the third refuses them, and so tells them of the data.
        @Test func `two of three found no cluster beside the third, which holds the data`() throws {
            let nodes = try foundersNotStarted(["--park-timeout", "2s"])
            for node in nodes { try node.start() }
            for node in nodes { try node.waitUntilServing() }
            #expect(try nodes[2].connect()("SET", "acknowledged", "yes") == .ok)
            for node in nodes[0...1] {
                try node.kill()
                try FileManager.default.removeItem(atPath: node.settings.directory)
            }
            for node in nodes[0...1] { try node.start() }
            for node in nodes[0...1] {
                try eventually("node \(node.node) knows that it is not new") {
                    node.log.contains("this directory is empty and the cluster is not") ? () : nil
                }
            }
            // Longer than elections take.
            pause(.seconds(4))
            for node in nodes {
                let reply = try node.connect()("GET", "acknowledged")
                #expect(reply.errorWord == "LOADING", "node \(node.node): \(reply)")
            }
        }

        @Test func `a founder that starts late catches up and then counts`() throws {
            let nodes = try foundersNotStarted()
            try nodes[0].start()
            try nodes[1].start()
            for node in nodes[0...1] { try node.waitUntilServing() }
            #expect(try nodes[0].connect()("SET", "early", "1") == .ok)
            try nodes[2].start()
            try nodes[2].waitUntilServing()
            try eventually("the late founder may vote") {
                nodes[2].log.contains("voting from now on") ? () : nil
            }
            try nodes[0].kill()
            try nodes[2].waitUntilServing()
            let connection = try nodes[2].connect()
            #expect(try connection("GET", "early") == .text("1"))
            #expect(try connection("SET", "late", "2") == .ok)
        }

        private func foundersNotStarted(_ arguments: [String] = []) throws -> [DaemonProcess] {
            var settings = try (1...3).map { try DaemonProcess.Settings(sandbox, node: $0) }
            let founders = Dictionary(uniqueKeysWithValues: settings.map { ($0.node, $0.peer) })
            for index in settings.indices {
                (settings[index].founders, settings[index].arguments) = (founders, arguments)
            }
            return settings.map { DaemonProcess($0, sandbox: sandbox) }
        }
    }
}
