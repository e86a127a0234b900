import Glibc
import RocksDB
import Testing

/// Misuse that RocksDB would answer with undefined behaviour or with a wrong value stops the process instead.
@Suite("Misuse stops the process")
struct MisuseTests {
    /// Owned here, so that it vanishes although the process that uses it can't clean up.
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    @Test func `use after closing`() async {
        let end = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [path = directory.path as String] in
            // No time limit ends a child that hangs.
            alarm(120)
            let database = try Database.make(at: path)
            let family = database.root
            try database.close()
            _ = try database.get("a", in: family)
        }
        #expect(end.says("is used after it was closed"))
    }

    @Test func `use of a dropped column family`() async {
        let end = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [path = directory.path as String] in
            alarm(120)
            let database = try Database.make(at: path)
            let family = try database.createColumnFamily("other", options: ColumnFamilyOptions())
            try database.drop(family)
            _ = try database.get("a", in: family)
        }
        #expect(end.says("is used after it was dropped"))
    }

    @Test func `memory-only reads where not all files are open`() async {
        let end = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [path = directory.path as String] in
            alarm(120)
            let database = try Database.make(at: path) { $0.maxOpenFiles = 100 }
            _ = try database.get("a", in: database.root, ReadOptions(tier: .memory))
        }
        #expect(end.says("memory-only reads need maxOpenFiles -1"))
    }

    @Test func `the same calls without misuse end well`() async {
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            alarm(120)
            let database = try Database.make(at: path)
            let family = try database.createColumnFamily("other", options: ColumnFamilyOptions())
            _ = try database.get("a", in: family, ReadOptions(tier: .memory))
            try database.drop(family)
            try database.close()
        }
    }
}

extension ExitTest.Result? {
    /// Whether the process ended with these words; debug builds print why they stop.
    fileprivate func says(_ text: String) -> Bool {
        String(decoding: self?.standardErrorContent ?? [], as: UTF8.self).contains(text)
    }
}
