import RocksDB
import Testing

@Suite("Iterators")
struct IteratorTests {
    // Declared first, so that it closes before its directory vanishes.
    let database: Database
    let directory: TestDirectory

    init() throws {
        directory = try TestDirectory()
        database = try .make(at: directory.path)
        for key in ["a", "b", "c", "d"] { try database.put(key, key.uppercased()) }
    }

    @Test(
        arguments: [
            ("", nil, ["a=A", "b=B", "c=C", "d=D"]), ("b", nil, ["b=B", "c=C", "d=D"]), ("b", "d", ["b=B", "c=C"]),
            ("bb", "c", []), ("e", nil, []), ("", "a", []),
        ] as [(String, String?, [String])])
    func `bounds take the lower and leave the upper key`(lower: String, upper: String?, expected: [String]) throws {
        #expect(try database.pairs(from: lower, to: upper) == expected)
    }

    @Test func `a scan ends when its body says so`() throws {
        var seen: [String] = []
        try database.scan(from: RawSpan(), to: nil, in: database.root) { key, _ in
            seen.append(key.text)
            return seen.count < 2
        }
        #expect(seen == ["a", "b"])
    }

    @Test func `an iterator moves both ways within its bounds`() throws {
        var iterator = DatabaseIterator(
            database, database.root, lower: Array("b".utf8).span.bytes, upper: Array("d".utf8).span.bytes)
        try iterator.seekToLast()
        #expect(iterator.key == "c")
        try iterator.previous()
        #expect(iterator.key == "b")
        try iterator.previous()
        #expect(iterator.key == nil)
        try iterator.seekToFirst()
        try iterator.next()
        #expect(iterator.key == "c")
        try iterator.next()
        #expect(iterator.key == nil)
        try iterator.seek(to: Array("bx".utf8).span.bytes)
        #expect(iterator.key == "c")
    }

    @Test func `an iterator sees the moment at which it was made`() throws {
        var iterator = DatabaseIterator(database, database.root)
        try database.put("aa", "late")
        try iterator.seekToFirst()
        try iterator.next()
        #expect(iterator.key == "b")
    }
}

extension DatabaseIterator {
    /// The key that it stands on, nil beyond the end.
    fileprivate var key: String? { isValid ? withEntry { key, _ in key.text } : nil }
}
