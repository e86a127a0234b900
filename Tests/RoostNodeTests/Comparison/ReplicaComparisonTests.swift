import ByteCoding
import KeyValue
import PeerTransport
import Raft
import Testing

@testable import RoostNode

@Suite("Comparison of replicas")
struct ReplicaComparisonTests {
    /// Replicas as sorted pairs, and a leader, node 1, who compares them.
    private struct Bench {
        typealias Pairs = [String: String]

        /// As they are stored, ascending.
        private var sorted: [NodeID: [(key: Bytes, value: Bytes)]] = [:]
        var comparison: ReplicaComparison
        var now = MonotonicTime(nanoseconds: 1_000_000_000)
        var index: UInt64 = 10
        var rounds = 0
        var mostBytes: UInt64 = 0
        /// Who does not answer, and who answers that it missed the index.
        var silent: Set<NodeID> = []
        var late: Set<NodeID> = []
        let group = GroupID(1)

        init(_ replicas: [NodeID: Pairs], sliceBytes: Int = 128 << 10) {
            comparison = ReplicaComparison(
                node: NodeID(1), group: group, range: StateKey.contentRange(group: 1),
                limits: .init(interval: .seconds(10), sliceBytes: sliceBytes, patience: .seconds(5)))
            comparison.lead(Term(3), at: now)
            for (node, pairs) in replicas { set(node, pairs) }
        }

        mutating func set(_ node: NodeID, _ pairs: Pairs) {
            sorted[node] = pairs.sorted { $0.key < $1.key }.map {
                (StateKey.user(Bytes($0.key), group: 1), Bytes($0.value))
            }
        }

        var voters: [NodeID] { sorted.keys.sorted() }

        func answer(_ request: ComparisonRequest, _ node: NodeID) -> (ComparisonReport, ComparisonSample) {
            var sample = ComparisonSample(request)
            let stored = sorted[node]!
            let start = stored.firstIndex { !($0.key < request.first) } ?? stored.count
            for (key, value) in stored[start...] where key < request.end {
                let goesOn = key.withUnsafeBytes { key in value.withUnsafeBytes { sample.add(key, $0) } }
                if !goesOn { break }
            }
            let applied = late.contains(node) ? nil : EntryID(term: Term(2), index: request.index)
            return (sample.finish(by: node, applied: applied), sample)
        }

        /// Asks until something comes of it, or the time is over.
        mutating func run(
            for time: Duration = .seconds(60), between: (inout Bench) -> Void = { _ in }
        ) -> ReplicaComparison.Event? {
            let end = now.advanced(by: time)
            while now < end {
                now = max(now, comparison.nextDeadline)
                if let event = comparison.conclude(voters: voters, at: now) { return event }
                let others = voters.filter { $0 != NodeID(1) }
                guard let request = comparison.ask(others, at: LogIndex(index), alarm: nil, now: now) else {
                    now = now.advanced(by: .milliseconds(1))
                    continue
                }
                rounds += 1
                for node in voters where !silent.contains(node) {
                    let (report, sample) = answer(request, node)
                    mostBytes = max(mostBytes, sample.bytes)
                    comparison.take(report, lastKeys: node == NodeID(1) ? sample.lastKeys : [])
                }
                between(&self)
                index += 1
                if let event = comparison.conclude(voters: voters, at: now) { return event }
            }
            return nil
        }
    }

    private static func pairs(_ count: Int, valueBytes: Int = 100) -> Bench.Pairs {
        Dictionary(
            uniqueKeysWithValues: (0..<count).map { number in
                (key(number), "\(number)-" + String(repeating: "v", count: valueBytes))
            })
    }

    private static func key(_ number: Int) -> String {
        "key-" + String(repeating: "0", count: 6 - "\(number)".count) + "\(number)"
    }

    private static func stored(_ number: Int) -> Bytes { StateKey.user(Bytes(key(number)), group: 1) }

    private func three(_ pairs: Bench.Pairs, _ change: (inout Bench.Pairs) -> Void, on node: UInt64) -> Bench {
        var replicas = [NodeID(1): pairs, NodeID(2): pairs, NodeID(3): pairs]
        change(&replicas[NodeID(node)]!)
        return Bench(replicas)
    }

    @Test(arguments: [0, 1, 10, 5_000]) func `equal replicas pass, and the slices are bounded`(count: Int) {
        let pairs = Self.pairs(count)
        var bench = Bench([NodeID(1): pairs, NodeID(2): pairs, NodeID(3): pairs])
        #expect(bench.run() == .passed)
        #expect(bench.mostBytes < 128 << 10 + 200)
        #expect(count <= 10 ? bench.rounds == 1 : bench.rounds >= 4)
        // The next pass comes by itself.
        #expect(bench.run() == .passed)
    }

    @Test(arguments: [1, 2, 3] as [UInt64], [0, 1, 2_777, 4_999])
    func `another value, a key too few and a key too many are found, with the node and the first key`(
        node: UInt64, place: Int
    ) {
        let pairs = Self.pairs(5_000)
        let key = Self.key(place)
        let changes: [(inout Bench.Pairs) -> Void] = [
            { $0[key]! += "x" }, { $0[key] = nil }, { $0[key + "!"] = "more" },
        ]
        for (number, change) in changes.enumerated() {
            // A second difference behind the first does not matter.
            var bench = three(
                pairs,
                {
                    change(&$0); if place < 4_000 { $0[Self.key(4_500)] = "also" }
                }, on: node)
            guard case .differ(let difference)? = bench.run() else {
                Issue.record("no difference at \(place), change \(number)")
                continue
            }
            let expected = number == 2 ? StateKey.user(Bytes(key + "!"), group: 1) : Self.stored(place)
            #expect(difference.key == expected, "change \(number)")
            #expect(difference.astray == [NodeID(node)], "change \(number)")
            #expect(difference.compared == [NodeID(1), NodeID(2), NodeID(3)])
        }
    }

    @Test func `random replicas: what is found is the first difference of all`() {
        var random = SystemRandomNumberGenerator()
        for _ in 1...30 {
            let pairs = Self.pairs(3_000, valueBytes: Int.random(in: 0...200, using: &random))
            var changed = pairs
            let places = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                Int.random(in: 0..<3_000, using: &random)
            }
            for place in places { changed[Self.key(place)] = Bool.random(using: &random) ? nil : "other" }
            var bench = Bench(
                [NodeID(1): pairs, NodeID(2): changed, NodeID(3): pairs], sliceBytes: 64 << 10)
            guard case .differ(let difference)? = bench.run() else {
                Issue.record("nothing found at \(places)")
                continue
            }
            #expect(difference.key == Self.stored(places.min()!))
            #expect(difference.astray == [NodeID(2)])
        }
    }

    @Test func `of two replicas nobody can say which is right`() {
        let pairs = Self.pairs(100)
        var other = pairs
        other[Self.key(50)] = "other"
        var bench = Bench([NodeID(1): pairs, NodeID(2): other])
        guard case .differ(let difference)? = bench.run() else {
            Issue.record("nothing found")
            return
        }
        #expect(difference.key == Self.stored(50) && difference.astray.isEmpty)
        #expect("\(difference)".contains("no majority says which is right"))
    }

    @Test func `a sentence names node, key and remedy`() {
        var bench = three(Self.pairs(100), { $0[Self.key(7)] = "other" }, on: 2)
        guard case .differ(let difference)? = bench.run() else {
            Issue.record("nothing found")
            return
        }
        let sentence = "\(difference)"
        #expect(sentence.contains("the state of node 2 differs from that of nodes 1,3 at entry"))
        #expect(sentence.contains("first at the key key-000007: "))
        #expect(sentence.contains("roostd repair --drop-state"))
    }

    @Test func `a difference that is written over meanwhile is told of without a key`() {
        let pairs = Self.pairs(1_000)
        var bench = three(pairs, { $0[Self.key(500)] = "other" }, on: 3)
        let event = bench.run { $0.set(NodeID(3), pairs) }
        guard case .differ(let difference)? = event else {
            Issue.record("\(String(describing: event))")
            return
        }
        #expect(difference.key == nil && difference.astray == [NodeID(3)])
        #expect("\(difference)".contains("written anew meanwhile"))
        // It is gone.
        #expect(bench.run() == .passed)
    }

    @Test func `who is silent or late is not waited for, and not blamed`() {
        let pairs = Self.pairs(1_000)
        var bench = three(pairs, { $0[Self.key(1)] = "other" }, on: 3)
        bench.silent = [NodeID(3)]
        #expect(bench.run() == .passed)
        bench.silent = []
        bench.late = [NodeID(3)]
        #expect(bench.run() == .passed)
        // Alone there is nothing to compare with: no pass ends.
        bench.late = [NodeID(2), NodeID(3)]
        #expect(bench.run() == nil)
        bench.late = [NodeID(1)]
        #expect(bench.run() == nil)
        bench.late = []
        guard case .differ? = bench.run() else {
            Issue.record("nothing found")
            return
        }
    }

    @Test func `who goes away meanwhile is not waited for`() throws {
        let pairs = Self.pairs(10)
        var bench = three(pairs, { _ in }, on: 3)
        bench.now = bench.comparison.nextDeadline
        let asked = bench.comparison.ask([NodeID(2), NodeID(3)], at: LogIndex(9), alarm: nil, now: bench.now)
        let request = try #require(asked)
        for node in [NodeID(1), NodeID(2)] { bench.comparison.take(bench.answer(request, node).0) }
        #expect(!bench.comparison.isLookDue(at: bench.now))
        let look = bench.comparison.nextDeadline
        #expect(look < bench.now.advanced(by: .seconds(5)) && bench.comparison.isLookDue(at: look))
        bench.comparison.keepOnly([NodeID(2), NodeID(3)], at: look)
        #expect(bench.comparison.conclude(voters: bench.voters, at: look) == nil)
        bench.comparison.keepOnly([NodeID(2)], at: look)
        #expect(bench.comparison.conclude(voters: bench.voters, at: look) == .passed)
    }

    @Test func `answers of another round or term, and second ones, count for nothing`() throws {
        let pairs = Self.pairs(10)
        var bench = three(pairs, { $0[Self.key(1)] = "other" }, on: 3)
        bench.now = bench.comparison.nextDeadline
        let asked = bench.comparison.ask([NodeID(2), NodeID(3)], at: LogIndex(9), alarm: "old", now: bench.now)
        let request = try #require(asked)
        #expect(request.alarm == "old" && request.index == LogIndex(9))
        var (stranger, _) = bench.answer(request, NodeID(2))
        stranger.term = Term(2)
        bench.comparison.take(stranger)
        (stranger.term, stranger.round) = (request.term, request.round + 1)
        bench.comparison.take(stranger)
        stranger.round = request.round
        stranger.from = NodeID(4)
        bench.comparison.take(stranger)
        #expect(bench.comparison.conclude(voters: bench.voters, at: bench.now) == nil)
        // Nobody has answered: the round ends with its time and is asked again.
        let end = bench.now.advanced(by: .seconds(5))
        #expect(bench.comparison.conclude(voters: bench.voters, at: end) == nil)
        #expect(bench.comparison.nextDeadline > end)
        bench.comparison.stopLeading()
        #expect(bench.comparison.nextDeadline == .never)
        #expect(
            bench.comparison.ask([NodeID(2)], at: LogIndex(9), alarm: nil, now: end.advanced(by: .seconds(99))) == nil)
    }
}
