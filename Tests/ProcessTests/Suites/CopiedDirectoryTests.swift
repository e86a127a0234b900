import Foundation
import RESP
import Testing

extension ProcessTests {
    /// On a file system that does not tell when a file was made these tests fail: no copy is known there.
    @Suite("A copied data directory is refused, whenever it was copied") struct CopiedDirectoryTests {
        private let sandbox = Sandbox.current!

        @Test func `put in the place of the original, which has gone on since`() throws {
            let cluster = try Cluster(sandbox)
            let node = cluster.nodes[2]
            let directory = node.settings.directory
            #expect(try node.terminate() == .code(0))
            let copy = try copied(directory)
            try node.start()
            try node.waitUntilServing()
            #expect(try node.connect()("SET", "after the copy", "1") == .ok)
            try node.kill()

            try FileManager.default.moveItem(atPath: directory, toPath: directory + ".original")
            try FileManager.default.moveItem(atPath: copy, toPath: directory)
            try node.start()
            try expectRefusal(of: node)
            #expect(try cluster.nodes[0].connect()("SET", "without it", "2") == .ok)

            // What was only moved is no copy.
            try FileManager.default.removeItem(atPath: directory)
            try FileManager.default.moveItem(atPath: directory + ".original", toPath: directory)
            try node.start()
            try node.waitUntilServing()
            #expect(try node.connect()("GET", "without it") == .text("2"))
        }

        /// Its content is what the original would have found, had it been killed at that moment.
        @Test func `of a running node, started beside it, and after its end`() throws {
            let cluster = try Cluster(sandbox)
            let node = cluster.nodes[1]
            var settings = node.settings
            settings.directory = try copied(node.settings.directory)
            (settings.redis, settings.http) = (try FreePorts.next(), try FreePorts.next())
            settings.peer = try FreePorts.next()
            settings.founders[node.node] = settings.peer
            settings.log = settings.directory + ".log"
            let second = DaemonProcess(settings, sandbox: sandbox)
            try second.start()
            try expectRefusal(of: second)
            #expect(try node.connect()("SET", "beside it", "1") == .ok)
            try node.kill()
            try second.start()
            try expectRefusal(of: second)
            try cluster.nodes[0].waitUntilServing()
            #expect(try cluster.nodes[0].connect()("GET", "beside it") == .text("1"))
        }

        @Test func `and counts again once an operator has adopted it and it has caught up`() throws {
            let cluster = try Cluster(sandbox)
            let node = cluster.nodes[0]
            let directory = node.settings.directory
            let copy = try copied(directory)
            #expect(try node.connect()("SET", "after the copy", "1") == .ok)
            try node.kill()
            try FileManager.default.removeItem(atPath: directory)
            try FileManager.default.moveItem(atPath: copy, toPath: directory)
            let repair = try ChildProcess(
                [Binaries.roostd, "repair", "--adopt-copy", "--data-dir", directory],
                environment: Binaries.environment, output: sandbox.newFolder("repair"))
            sandbox.adopt(repair)
            #expect(try repair.wait() == .code(0))
            try node.start()
            try node.waitUntilServing()
            try eventually("the adopted node may vote") { node.log.contains("voting from now on") ? () : nil }
            #expect(try node.connect()("GET", "after the copy") == .text("1"))
            // It is one of the two that are needed now.
            try cluster.nodes[2].kill()
            try node.waitUntilServing()
            #expect(try node.connect()("SET", "with its vote", "2") == .ok)
        }

        private func copied(_ directory: String) throws -> String {
            let copy = sandbox.newFolder("copy")
            let process = try ChildProcess(
                ["/bin/cp", "-a", directory, copy], environment: [:], output: sandbox.newFolder("cp"))
            sandbox.adopt(process)
            #expect(try process.wait() == .code(0))
            return copy
        }

        private func expectRefusal(of node: DaemonProcess) throws {
            #expect(try node.current.wait() == .code(66))
            let last = node.log.split(separator: "\n").last ?? ""
            #expect(last.contains("is a copy of the data directory of node \(node.node)"), "\(last)")
            #expect(last.contains("--adopt-copy"), "\(last)")
        }
    }
}
