import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Damage of what only a start reads") struct StartFileAlarmTests {
        private let sandbox = Sandbox.current!

        @Test func `a node with a damaged MANIFEST serves on and says so, until it is mended`() throws {
            let node = try DaemonProcess.single(sandbox, arguments: ["--scrub-interval", "50ms"])
            let connection = try node.connect()
            #expect(try connection("SET", "k", "before") == .ok)
            let database = node.settings.directory + "/db"
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: database).first { $0.hasPrefix("MANIFEST") })
            try flip(database + "/" + name)
            let alarm = try eventually("an alarm") { try node.status().alarms.first }
            #expect(alarm.hasPrefix("node 1: \(database)/\(name): ") && alarm.contains("don't restart it"), "\(alarm)")
            #expect(try node.get("/metrics").body.contains("\nroost_alarms 1\n"))
            #expect(node.log.contains("a start would find damage: \(database)/\(name): "))
            #expect(try connection("SET", "k", "after") == .ok)
            #expect(try node.current.isRunning)
            try flip(database + "/" + name)
            try eventually("no alarm") { try node.status().alarms.isEmpty ? () : nil }
            #expect(try node.terminate() == .code(0))
            try node.start()
            try node.waitUntilServing()
            #expect(try node.connect()("GET", "k") == .text("after"))
        }

        /// In place: a bit of the first record.
        private func flip(_ path: String) throws {
            let file = try FileHandle(forUpdating: URL(filePath: path))
            try file.seek(toOffset: 20)
            let byte = try #require(try file.read(upToCount: 1))
            try file.seek(toOffset: 20)
            try file.write(contentsOf: Data([byte[0] ^ 1]))
            try file.close()
        }
    }
}
