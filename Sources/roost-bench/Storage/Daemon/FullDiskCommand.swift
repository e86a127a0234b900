import ArgumentParser
import Foundation
import RESP
import Synchronization

struct FullDiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "full", abstract: "Let a node fill its disk, and see what its clients notice.",
        discussion: """
            A small ext4 of its own, mounted from a file: needs root, mkfs.ext4 and loop devices. The node's own growth: a \
            client reads all the time, writes go on until they are refused, then all keys but some are deleted. The other \
            case: somebody else takes the disk to the last byte, and the node is killed and started on it.
            """)

    @OptionGroup var options: StorageOptions
    @Option(help: "Size of the file system, in MiB.") var mebibytes = 1024
    @Option(help: "Rounds of which the medians are taken.") var rounds = 3

    func validate() throws {
        guard (64...1 << 20).contains(mebibytes), rounds > 0 else {
            throw ValidationError("--mebibytes: 64 to 1048576; --rounds: from 1")
        }
    }

    func run() throws {
        try options.measure("full disk: ext4 of \(mebibytes) MiB, values of 8 KiB, one node") { workspace, roostd in
            guard getuid() == 0 else { throw BenchError("mounting a small file system needs root") }
            try workspace.withFolder("full") { folder in
                let disk = try SmallFileSystem(in: folder, mebibytes: mebibytes)
                defer { disk.unmount() }
                let node = try LoneNode(roostd, in: disk.path, arguments: options.arguments)
                defer { node.stop() }
                try fillByGrowth(node, disk)
                try fillByOthers(node, disk)
            }
            Findings.command("full --mebibytes \(mebibytes) --rounds \(rounds)")
        }
    }

    private static let valueBytes = 8 << 10

    private func fillByGrowth(_ node: LoneNode, _ disk: SmallFileSystem) throws {
        var writer = try Writer(port: node.redis)
        let reads = try SteadyReads(port: node.redis)
        var resumed: [Double] = []
        for round in 1...rounds {
            Progress.say("filling the disk by writes, round \(round) of \(rounds)")
            try writer.writeUntilRefused(atMost: mebibytes << 20)
            let free = disk.freeBytes
            guard free > 0 else { throw BenchError("the node has filled its disk to the last byte") }
            try writer.deleteAll(but: 100)
            let begun = ContinuousClock.now
            while !(try writer.write()) {
                guard ContinuousClock.now - begun < .seconds(60) else { throw BenchError("no writes within 60 s") }
                pause(.milliseconds(2))
            }
            resumed.append((ContinuousClock.now - begun) / .milliseconds(1))
            Progress.say("refused with \(free >> 20) MiB free, taken again after the deletions")
        }
        let seen = reads.stop()
        guard seen.failures == 0 else { throw BenchError("\(seen.failures) reads failed") }
        Findings.report(
            "full by own growth, writes after the last deletion",
            String(format: "median %.0f ms, longest %.0f", median(resumed) ?? 0, resumed.max() ?? 0),
            target: "at most 5000 ms")
        Findings.report(
            "full by own growth, reads meanwhile",
            String(format: "\(seen.count), none failed, longest wait %.0f ms", seen.longest / .milliseconds(1)))
    }

    private func fillByOthers(_ node: LoneNode, _ disk: SmallFileSystem) throws {
        var times: [Double] = []
        for round in 1...rounds {
            Progress.say("filling the disk from outside, round \(round) of \(rounds)")
            try disk.waitForReserve(in: node.data)
            try disk.fill()
            node.kill()
            try disk.fill()
            times.append(try node.restart() / .milliseconds(1))
            try disk.empty()
            var writer = try Writer(port: node.redis)
            let begun = ContinuousClock.now
            while !(try writer.write()) {
                guard ContinuousClock.now - begun < .seconds(60) else { throw BenchError("no writes within 60 s") }
                pause(.milliseconds(2))
            }
        }
        Findings.report(
            "full to the last byte by others, reads after a start",
            String(format: "median %.0f ms, longest %.0f", median(times) ?? 0, times.max() ?? 0),
            target: "at most 10000 ms")
    }

    /// Writes under new keys, and remembers them.
    private struct Writer {
        private let connection: CommandConnection
        private var count = 0
        private var live: [String] = []

        init(port: UInt16) throws { connection = try CommandConnection(port: port) }

        /// - Returns: whether it was taken.
        mutating func write() throws -> Bool {
            count += 1
            let key = "own-\(count)"
            let reply = try connection("SET", key, Self.value(count))
            if reply == .simple("OK") {
                live.append(key)
                return true
            }
            guard case .error(let text) = reply, text.hasPrefix("NOSPACE") else {
                throw BenchError("a write was answered \(reply)")
            }
            return false
        }

        mutating func writeUntilRefused(atMost bytes: Int) throws {
            for _ in 0..<bytes / FullDiskCommand.valueBytes where !(try write()) { return }
            throw BenchError("the disk took \(bytes) bytes and more")
        }

        mutating func deleteAll(but kept: Int) throws {
            while live.count > kept {
                let part = live.suffix(min(500, live.count - kept))
                let reply = try connection.pipeline([["DEL"] + part])[0]
                guard case .integer = reply else { throw BenchError("a deletion was answered \(reply)") }
                live.removeLast(part.count)
            }
        }

        private static func value(_ seed: Int) -> String {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
            var text = ""
            while text.utf8.count < FullDiskCommand.valueBytes {
                state ^= state >> 12
                state ^= state << 25
                state ^= state >> 27
                text += String(state &* 0x2545_F491_4F6C_DD1D, radix: 36)
            }
            return text
        }
    }

    /// A client that reads one key all the time.
    private final class SteadyReads: Sendable {
        struct Seen: Sendable {
            var count = 0
            var failures = 0
            var longest = Duration.zero
        }

        private let isEnough = Atomic(false)
        private let seen = Mutex(Seen())
        private let ended = DispatchSemaphore(value: 0)

        init(port: UInt16) throws {
            guard try CommandConnection(port: port)("SET", "steady", "x") == .simple("OK") else {
                throw BenchError("the first write was refused")
            }
            Thread.detachNewThread { [self] in
                read(port)
                ended.signal()
            }
        }

        func stop() -> Seen {
            isEnough.store(true, ordering: .releasing)
            ended.wait()
            return seen.withLock(\.self)
        }

        private func read(_ port: UInt16) {
            guard let connection = try? CommandConnection(port: port) else { return seen.withLock { $0.failures += 1 } }
            while !isEnough.load(ordering: .acquiring) {
                let begun = ContinuousClock.now
                let isRight = (try? connection("GET", "steady"))?.text == "x"
                let wait = ContinuousClock.now - begun
                seen.withLock { seen in
                    seen.count += 1
                    seen.failures += isRight ? 0 : 1
                    seen.longest = max(seen.longest, wait)
                }
                if !isRight { return }
                pause(.microseconds(500))
            }
        }
    }
}

/// An ext4 in a file, mounted for one measurement.
private final class SmallFileSystem {
    let path: String
    private let folder: String

    init(in folder: String, mebibytes: Int) throws {
        (self.folder, path) = (folder, "\(folder)/mounted")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let image = "\(folder)/image"
        try run("truncate", "-s", "\(mebibytes)M", image)
        try run("mkfs.ext4", "-q", "-F", "-m", "0", image)
        try run("mount", "-o", "loop", image, path)
    }

    var freeBytes: Int {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : 0
    }

    /// Somebody else's file takes everything that is left.
    func fill() throws {
        let descriptor = open("\(path)/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BenchError("cannot make \(path)/filler") }
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var piece = zeros.count
        while piece >= 1 << 10 {
            if write(descriptor, zeros, piece) <= 0 { piece /= 4 }
        }
        guard freeBytes < 64 << 10 else { throw BenchError("\(freeBytes) bytes are still free") }
    }

    func empty() throws {
        guard unlink("\(path)/filler") == 0 else { throw BenchError("cannot remove \(path)/filler") }
    }

    /// A node makes it anew when there is room.
    func waitForReserve(in data: String) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        var status = stat()
        while stat("\(data)/RESERVE", &status) != 0 || status.st_size == 0 {
            if ContinuousClock.now > deadline { throw BenchError("the node has no reserve") }
            pause(.milliseconds(10))
        }
    }

    /// Lazily: the node that uses it ends a moment later.
    func unmount() { try? run("umount", "-l", path) }

    private func run(_ tool: String, _ arguments: String...) throws {
        guard
            let program = Tool.path(tool)
                ?? ["/usr/sbin/\(tool)", "/sbin/\(tool)"].first(where: { access($0, X_OK) == 0 })
        else { throw BenchError("\(tool) is not installed") }
        _ = try ChildProcess.output(of: [program] + arguments, folder: folder, within: .seconds(60))
    }
}
