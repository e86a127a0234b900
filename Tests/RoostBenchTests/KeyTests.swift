import Foundation
import Testing

@testable import roost_bench

@Suite("Keys are spread as the workload says")
struct KeyTests {
    @Test func `Zipfian ranks come as often as their weights say`() {
        let (items, draws) = (UInt64(1_000), 400_000)
        let zipf = Zipfian(items: items)
        var random = SplitMix64(seed: 1)
        var counts = [Int](repeating: 0, count: Int(items))
        for _ in 0..<draws { counts[Int(zipf.rank(random.unit()))] += 1 }
        let zeta = Zipfian.zeta(items, Zipfian.theta)
        func share(_ ranks: Range<Int>) -> Double { Double(counts[ranks].reduce(0, +)) / Double(draws) }
        func weight(_ ranks: Range<Int>) -> Double {
            ranks.reduce(0) { $0 + 1 / pow(Double($1 + 1), Zipfian.theta) } / zeta
        }
        // Five standard deviations are below 0.004 here; the method itself approximates ranks from the third on.
        #expect(abs(share(0..<1) - weight(0..<1)) < 0.004)
        #expect(abs(share(1..<2) - weight(1..<2)) < 0.004)
        #expect(abs(share(0..<10) - weight(0..<10)) < 0.02)
        #expect(abs(share(0..<100) - weight(0..<100)) < 0.02)
    }

    @Test func `YCSB's constant is the sum that it stands for`() {
        // The sum of 1 / k^0.99 up to n grows as n^0.01 / 0.01; a million terms and the integral give the rest.
        let direct = Zipfian.zeta(1_000_000, 0.99)
        let rest = (pow(10_000_000_000, 0.01) - pow(1_000_000, 0.01)) / 0.01
        #expect(abs(direct + rest - 26.469_028_201_783_02) < 0.000_01)
    }

    @Test func `scrambled keys stay in range, and the frequent ones lie apart`() {
        let zipf = ScrambledZipfian(keys: 100_000)
        var random = SplitMix64(seed: 7)
        var counts: [UInt64: Int] = [:]
        for _ in 0..<200_000 { counts[zipf.key(random.unit()), default: 0] += 1 }
        #expect(counts.keys.allSatisfy { $0 < 100_000 })
        let frequent = counts.sorted { $0.value > $1.value }.prefix(3)
        #expect(frequent[0].value > 6_500 && frequent[0].value < 8_600)
        #expect(frequent[0].key == ScrambledZipfian.fnv(0) % 100_000)
        #expect(frequent[0].key.distance(to: frequent[1].key).magnitude > 1)
    }

    @Test func `uniform keys are all drawn, about as often as each other`() {
        let workload = Workload(.write, connections: 1, keys: .uniform)
        var keys = KeyChooser(workload, records: 10, thread: 0, threads: 1, seed: 3)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<100_000 { counts[Int(keys.existing())] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
    }

    @Test(arguments: [1, 3])
    func `a fill gives every key once, over all threads`(threads: Int) {
        var seen: [UInt64] = []
        for thread in 0..<threads {
            var keys = KeyChooser(
                Workload(.fill, connections: 1), records: 100, thread: thread, threads: threads, seed: 1)
            while !keys.isExhausted { seen.append(keys.existing()) }
        }
        #expect(seen.sorted() == Array(0..<100))
    }

    @Test func `threads never insert the same key, and reads of the latest stay within what is acknowledged`() throws {
        let workload = Workload(.ycsbD, connections: 1)
        var first = KeyChooser(workload, records: 100, thread: 0, threads: 2, seed: 1)
        var second = KeyChooser(workload, records: 100, thread: 1, threads: 2, seed: 1)
        var inserted: [UInt64] = []
        for _ in 0..<5 {
            inserted += [first.inserted(), second.inserted()].compactMap(\.self)
        }
        try #require(inserted.count == 10)
        #expect(inserted.sorted() == Array(100..<110))
        // The later of two is acknowledged first: nothing is certain yet.
        first.acknowledge(insertOf: inserted[2])
        #expect(first.inserts.acknowledged == 0)
        for _ in 0..<1_000 { #expect(first.existing() < 100) }
        first.acknowledge(insertOf: inserted[0])
        #expect(first.inserts.acknowledged == 2)
        let known = Set(0..<100).union([inserted[0], inserted[2]])
        for _ in 0..<1_000 { #expect(known.contains(first.existing())) }
    }
}
