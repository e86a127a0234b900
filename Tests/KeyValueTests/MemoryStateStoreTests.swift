import ByteCoding
import KeyValue
import Testing

@Suite("The state in memory")
struct MemoryStateStoreTests {
    private func pairs(of reader: any StateReader, from lower: Bytes = "", to upper: Bytes = "~") throws -> [String] {
        var pairs: [String] = []
        try reader.scan(from: lower, to: upper) { key, value in
            pairs.append(String(decoding: key, as: UTF8.self) + "=" + String(decoding: value, as: UTF8.self))
            return true
        }
        return pairs
    }

    private func commit(_ store: MemoryStateStore, _ change: (MemoryStateBatch) -> Void) throws {
        let batch = store.makeBatch()
        change(batch)
        try store.commit(batch)
        #expect(batch.isEmpty)
    }

    private func put(_ key: String, _ value: String, in batch: MemoryStateBatch) {
        let (header, rest) = (Bytes(value.prefix(1)), Bytes(value.dropFirst()))
        Bytes(key).withUnsafeBytes { key in
            header.withUnsafeBytes { header in rest.withUnsafeBytes { batch.put(key, header: header, value: $0) } }
        }
    }

    @Test func `a batch is visible as a whole, in the order of its changes`() throws {
        let store = MemoryStateStore()
        try commit(store) { batch in
            put("a", "old", in: batch)
            put("b", "old", in: batch)
            batch.deleteRange(from: "a", to: "c")
            put("a", "new", in: batch)
            put("c", "gone", in: batch)
            Bytes("c").withUnsafeBytes { batch.delete($0) }
            #expect(!batch.isEmpty)
            #expect((try? pairs(of: store)) == [])
        }
        #expect(try pairs(of: store) == ["a=new"])
    }

    @Test func `a scan is ascending, holds its bounds, and stops when told`() throws {
        let store = MemoryStateStore()
        try commit(store) { batch in for key in ["d", "a", "c", "b", "aa"] { put(key, "1", in: batch) } }
        #expect(try pairs(of: store) == ["a=1", "aa=1", "b=1", "c=1", "d=1"])
        #expect(try pairs(of: store, from: "aa", to: "c") == ["aa=1", "b=1"])
        #expect(try pairs(of: store, from: "c", to: "a").isEmpty)
        var seen = 0
        try store.scan(from: "", to: "~") { _, _ in
            seen += 1
            return seen < 2
        }
        #expect(seen == 2)
    }

    @Test func `a snapshot stays at its moment`() throws {
        let store = MemoryStateStore()
        try commit(store) { put("a", "1", in: $0) }
        try store.withSnapshot { (moment) throws(StateStoreError) in
            let batch = store.makeBatch()
            put("a", "2", in: batch)
            put("b", "2", in: batch)
            try store.commit(batch)
            #expect((try? pairs(of: moment)) == ["a=1"])
            #expect((try? pairs(of: store)) == ["a=2", "b=2"])
        }
    }

    @Test func `readers on other threads see whole batches only`() async throws {
        let store = MemoryStateStore()
        let keys = (0..<20).map { "key\($0)" }
        try commit(store) { batch in for key in keys { put(key, "v0", in: batch) } }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var seen = 0
                    while seen < 200 {
                        let values = Set(try pairs(of: store).map { $0.split(separator: "=")[1] })
                        #expect(values.count == 1)
                        seen = Int(values.first!.dropFirst())!
                        // Without this the readers could hold every thread of the pool and starve the writer.
                        await Task.yield()
                    }
                    return seen
                }
            }
            group.addTask {
                for round in 1...200 {
                    try commit(store) { batch in for key in keys { put(key, "v\(round)", in: batch) } }
                }
                return 200
            }
            for try await last in group { #expect(last == 200) }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the tree is a sorted dictionary, balanced after every change, and old trees stay`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (tree, model) = (OrderedTree(), [Bytes: Bytes]())
        var (old, oldModel) = (tree, model)
        let key = { (random: inout SeededGenerator) in Bytes("k\(Int.random(in: 0..<400, using: &random))") }
        for round in 0..<600 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                let (lower, upper) = (key(&random), key(&random))
                tree.deleteRange(from: lower, to: upper)
                model = model.filter { $0.key < lower || $0.key >= upper }
            case 1..<6:
                let key = key(&random)
                tree.delete(key)
                model[key] = nil
            default:
                let key = key(&random)
                tree.put(key, Bytes("\(round)"))
                model[key] = Bytes("\(round)")
            }
            tree.checkInvariants()
            if round % 50 == 0 { (old, oldModel) = (tree, model) }
            if round % 50 == 49 { #expect(contents(of: old) == sorted(oldModel), "seed \(seed)") }
        }
        #expect(contents(of: tree) == sorted(model), "seed \(seed)")
        for number in 0..<400 {
            let key = Bytes("k\(number)")
            #expect(key.withUnsafeBytes { tree.value(of: $0) } == model[key], "seed \(seed)")
        }
    }

    private func contents(of tree: OrderedTree) -> [Pair] {
        var pairs: [Pair] = []
        tree.scan(from: "", to: "~") { key, value in
            pairs.append(Pair(key: key, value: value))
            return true
        }
        return pairs
    }

    private func sorted(_ model: [Bytes: Bytes]) -> [Pair] {
        model.sorted { $0.key < $1.key }.map { Pair(key: $0.key, value: $0.value) }
    }
}
