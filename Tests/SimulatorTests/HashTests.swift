import Foundation
import Testing

@testable import Simulator

/// Hash tables are seeded per process, unless the environment says otherwise: what depends on their order shows only
/// between processes.
@Suite("Simulator: the same run in other processes")
struct HashTests {
    private static let seeds = UInt64(1)...4
    private static let events = 1_500

    /// Beside the test bundle.
    private static let simulator: String? = {
        let folders = [
            ProcessInfo.processInfo.environment["ROOST_BIN_DIR"],
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map(folder),
            CommandLine.arguments.first.map(folder),
        ]
        return folders.compactMap { $0.map { $0 + "/roost-sim" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    private static func folder(of path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    @Test func `every process and every hash seed gives the same trace`() throws {
        let here = Self.seeds.map { seed in
            let hash = Simulation.run(.drawn(seed: seed, events: Self.events)).traceHash
            let digits = String(hash, radix: 16)
            return "seed \(seed) hash " + String(repeating: "0", count: 16 - digits.count) + digits
        }
        for hashing in [String?.none, "1", nil] {
            #expect(try hashes(deterministicHashing: hashing) == here)
        }
    }

    private func hashes(deterministicHashing: String?) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.simulator))
        process.arguments = [
            "--first", "\(Self.seeds.lowerBound)", "--seeds", "\(Self.seeds.count)", "--events", "\(Self.events)",
            "--hash", "--quiet",
        ]
        var environment = ProcessInfo.processInfo.environment
        environment["SWIFT_DETERMINISTIC_HASHING"] = deterministicHashing
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("seed ") }
    }
}
