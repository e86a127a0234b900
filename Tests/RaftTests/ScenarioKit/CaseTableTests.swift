import Foundation
import Testing

/// `docs/raft-cases.md` says where the cases of other implementations are; it must not promise what is not there.
@Suite("The table of cases") struct CaseTableTests {
    struct Row {
        var cases: String
        var place: String
    }

    private static func rows() throws -> [Row] {
        let lines = try Fixtures.document("raft-cases.md").split(separator: "\n").filter { $0.hasPrefix("| ") }
        return lines.filter { !$0.hasPrefix("| Case |") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return Row(cases: cells[0], place: cells.count > 1 ? cells[1] : "")
        }
    }

    @Test func `every case has a test that exists, or a reason`() throws {
        let rows = try Self.rows()
        #expect(rows.count > 120)
        for row in rows {
            if row.place.hasPrefix("- ") {
                #expect(row.place.count > 20, "\(row.cases) needs a reason")
            } else if row.place.contains(".swift`: ") {
                for place in row.place.components(separatedBy: "; `") { try expectTest(place, row.cases) }
            } else {
                try expectFiles(row.place, row.cases)
            }
        }
    }

    /// Path of a test file, colon, name of a test; maybe a remark in parentheses.
    private func expectTest(_ place: String, _ cases: String) throws {
        let parts = place.components(separatedBy: "`: ")
        let file = parts[0].replacingOccurrences(of: "`", with: "")
        let name = parts[1]
        let source = try Fixtures.text(of: file, in: ".")
        let names = source.components(separatedBy: "func `").dropFirst().compactMap {
            $0.components(separatedBy: "`(").first
        }
        #expect(names.contains { name == $0 || name.hasPrefix($0 + " (") }, "\(cases): \(file) has no test \"\(name)\"")
    }

    /// Scripts and tables in backticks; maybe a remark.
    private func expectFiles(_ place: String, _ cases: String) throws {
        let files = place.components(separatedBy: "`").filter { $0.hasSuffix(".scenario") || $0.hasSuffix(".table") }
        #expect(!files.isEmpty, "\(cases): \(place)")
        for file in files {
            let folder = file.hasSuffix(".table") ? "Tables" : "Scenarios"
            #expect(FileManager.default.fileExists(atPath: Fixtures.path(of: file, in: folder)), "\(cases): no \(file)")
        }
    }

    /// So that nobody searches, and no file is forgotten.
    @Test func `every script and table is named`() throws {
        let document = try Fixtures.document("raft-cases.md")
        for table in Fixtures.files(in: "Tables", ending: ".table") {
            #expect(document.contains("`\(table)`"), "\(table) is not in docs/raft-cases.md")
        }
        for script in Fixtures.files(in: "Scenarios", ending: ".scenario") {
            #expect(document.contains("`\(script)`"), "\(script) is not in docs/raft-cases.md")
        }
    }
}
