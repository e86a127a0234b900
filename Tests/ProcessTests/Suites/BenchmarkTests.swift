import Foundation
import Testing

extension ProcessTests {
    /// That figures come out, not what they are: a timed test would fail on a busy machine.
    @Suite("roost-bench: figures of real servers, and nothing left behind") struct BenchmarkTests {
        private let sandbox = Sandbox.current!

        private struct Report: Decodable {
            struct Figure: Decodable {
                var subject: String
                var perSecond: Double
                var command: String
            }
            var figures: [Figure]
            var failures: [String]
        }

        private struct Curve: Decodable {
            struct Line: Decodable {
                struct Point: Decodable {
                    var at: Double
                    var perSecond: Double
                }
                var subject: String
                var points: [Point]
            }
            var lines: [Line]
        }

        private func bench(_ arguments: [String]) throws -> ProgramRun {
            try sandbox.run([Binaries.roostBench] + arguments)
        }

        private var place: [String] {
            let folder = (Binaries.roostd as NSString).deletingLastPathComponent
            return [
                "--directory", "/var/tmp", "--binaries", folder, "--json", "\(sandbox.path)/figures.json", "--html",
                "\(sandbox.path)/figures.html",
            ]
        }

        private func figures<T: Decodable>(_ type: T.Type) throws -> T {
            try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: "\(sandbox.path)/figures.json")))
        }

        @Test func `a comparison has a figure for each subject and workload, and a command for each figure`() throws {
            let arguments = [
                "compare", "--only", "rocksdb,roost-1,roost-3", "--workload", "write,read", "--connections", "4",
                "--seconds", "0.2", "--warmup", "0.1", "--records", "1000", "--rounds", "1",
            ]
            let run = try bench(arguments + place)
            #expect(run.exit == .code(0), "\(run.output)")
            let report = try figures(Report.self)
            #expect(report.failures == [])
            // Raw RocksDB has no reads.
            #expect(report.figures.map(\.subject) == ["rocksdb", "roost-1", "roost-3", "roost-1", "roost-3"])
            #expect(report.figures.allSatisfy { $0.perSecond > 0 })
            let again = try #require(report.figures.last?.command.split(separator: " ").dropFirst().map(String.init))
            let repeated = try bench(again + place)
            #expect(repeated.exit == .code(0), "\(again): \(repeated.output)")
            #expect(try figures(Report.self).figures.map(\.subject) == ["roost-3"])
        }

        @Test func `curves leave out what a subject does not do`() throws {
            let run = try bench(
                [
                    "scaling", "--part", "connections", "--points", "2,4", "--only", "rocksdb,roost-1", "--seconds",
                    "0.2",
                ]
                    + place)
            #expect(run.exit == .code(0), "\(run.output)")
            let curves = try figures([Curve].self)
            #expect(curves.flatMap(\.lines).map(\.subject) == ["rocksdb", "roost-1", "roost-1"])
            #expect(curves.flatMap(\.lines).allSatisfy { $0.points.map(\.at) == [2, 4] })
        }
    }
}
