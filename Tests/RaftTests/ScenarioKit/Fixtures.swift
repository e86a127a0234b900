import Foundation
import Testing

/// Scripts and tables: plain files beside the sources, not bundled.
enum Fixtures {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// Names of the files in a folder of the test target, in order.
    static func files(in folder: String, ending: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: tests.appending(path: folder).path)) ?? []
        return names.filter { $0.hasSuffix(ending) }.sorted()
    }

    static func path(of file: String, in folder: String) -> String {
        tests.appending(path: folder).appending(path: file).path
    }

    static func text(of file: String, in folder: String) throws -> String {
        try String(contentsOfFile: path(of: file, in: folder), encoding: .utf8)
    }

    /// The text of a page of the documentation.
    static func document(_ name: String) throws -> String {
        let root = tests.deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs").appending(path: name), encoding: .utf8)
    }

    /// Plays a file; what it says and does not hold is an issue of its line.
    static func play(
        _ file: String, in folder: String, _ play: (String, String) throws(ScenarioFailure) -> Void
    ) throws {
        let text = try text(of: file, in: folder)
        do throws(ScenarioFailure) {
            try play(text, file)
        } catch {
            Issue.record(
                "\(error)",
                sourceLocation: SourceLocation(
                    fileID: "RaftTests/\(file)", filePath: path(of: file, in: folder), line: error.line, column: 1))
        }
    }
}
