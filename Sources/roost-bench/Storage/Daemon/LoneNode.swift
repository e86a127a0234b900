import Foundation
import RESP

/// A cluster of one node as it is delivered, which is killed and started again.
final class LoneNode {
    private let roostd: String
    private let folder: String
    private let arguments: [String]
    let redis: UInt16
    let peer: UInt16
    private let http: UInt16
    private(set) var process: ChildProcess

    var data: String { "\(folder)/node" }
    var log: String { "\(folder)/node.log" }

    /// Starts it, and waits until it serves unless told otherwise.
    ///
    /// - Parameters:
    ///   - folder: for its data directory, and for its log unless that has a place of its own.
    ///   - identity: the node's; by default the only founder's.
    init(
        _ roostd: String, in folder: String, identity: [String] = ["--node-id", "1", "--cluster-name", "bench"],
        arguments: [String] = [], waits: Bool = true
    ) throws {
        (self.roostd, self.folder, self.arguments) = (roostd, folder, identity + arguments)
        (redis, peer, http) = (try Port.free(), try Port.free(), try Port.free())
        process = try Self.start(roostd, folder, redis, peer, http, self.arguments)
        if waits { try waitUntilServing() }
    }

    func kill() { process.kill() }

    func stop() { process.stop() }

    /// Starts it again.
    ///
    /// - Returns: how long it took until a linearizable read was answered.
    func restart() throws -> Duration {
        let begun = ContinuousClock.now
        process = try Self.start(roostd, folder, redis, peer, http, arguments)
        try waitUntilServing()
        return .now - begun
    }

    /// Waits until the node answers a linearizable read.
    func waitUntilServing() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !serves {
            if process.hasEnded { throw BenchError("the node ended: \(process.lastLogLine)") }
            if ContinuousClock.now > deadline { throw BenchError("the node does not serve: \(process.lastLogLine)") }
            pause(.milliseconds(1))
        }
    }

    var serves: Bool {
        guard let connection = try? CommandConnection(port: redis), let reply = try? connection("GET", "no such key")
        else {
            return false
        }
        if case .error = reply { return false }
        return true
    }

    private static func start(
        _ roostd: String, _ folder: String, _ redis: UInt16, _ peer: UInt16, _ http: UInt16, _ arguments: [String]
    ) throws -> ChildProcess {
        let command = [
            roostd, "--data-dir", "\(folder)/node", "--listen-redis", "127.0.0.1:\(redis)",
            "--listen-peer", "127.0.0.1:\(peer)", "--listen-http", "127.0.0.1:\(http)",
        ]
        return try ChildProcess(command + arguments, log: "\(folder)/node.log")
    }
}
