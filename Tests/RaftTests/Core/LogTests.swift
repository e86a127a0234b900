import ByteCoding
import Testing

@testable import Raft

@Suite("The log in memory")
struct LogTests {
    // MARK: Term runs

    @Test func `term runs agree with a list of terms through any history`() throws {
        var random = SplitMix64(seed: 5)
        for _ in 0..<200 {
            var runs = try #require(TermRuns(base: .zero, runs: [], lastIndex: 0))
            var terms: [UInt64] = [0]
            var base = 0
            for _ in 0..<60 {
                switch random.next(below: UInt64(8)) {
                case 0 where terms.count > base + 1:
                    let from = base + 1 + Int(random.next(below: UInt64(terms.count - base - 1)))
                    terms.removeLast(terms.count - from)
                    runs.removeAll(from: LogIndex(UInt64(from)))
                case 1 where terms.count > base + 1:
                    base += 1 + Int(random.next(below: UInt64(terms.count - base - 1)))
                    runs.compact(through: id(terms[base], UInt64(base)))
                default:
                    terms.append(terms.last! + random.next(below: UInt64(3)) / 2)
                    runs.append(id(terms.last!, UInt64(terms.count) - 1))
                }
                check(runs, terms, base: base)
            }
        }
    }

    private func check(_ runs: TermRuns, _ terms: [UInt64], base: Int) {
        #expect(runs.base == id(terms[base], UInt64(base)))
        #expect(runs.last == id(terms.last!, UInt64(terms.count) - 1))
        for index in 0..<terms.count + 2 {
            let expected = index >= base && index < terms.count ? Term(terms[index]) : nil
            #expect(runs.term(at: LogIndex(UInt64(index))) == expected)
        }
        for term in 0...terms.last! + 1 {
            for index in base..<terms.count + 1 {
                let found = (base...max(base, min(index, terms.count - 1))).last { terms[$0] <= term } ?? base
                #expect(
                    runs.lastPossibleMatch(with: id(term, UInt64(index))) == id(terms[found], UInt64(found)))
            }
        }
    }

    // MARK: Entries

    private func log(_ count: Int, payload: Int = 36) -> Log {
        var log = Log(
            terms: TermRuns(base: .zero, runs: [], lastIndex: 0)!, unapplied: [], commit: 0, applied: 0)
        for index in 0..<UInt64(count) {
            log.append(entry(1, index + 1, Bytes([UInt8](repeating: 1, count: payload))))
        }
        return log
    }

    @Test func `slices are cut by bytes, and hold one entry at least`() {
        let log = log(5)
        #expect(log.slice(from: 1, through: 5, maxBytes: 0).entries.map(\.index) == [1])
        #expect(log.slice(from: 2, through: 5, maxBytes: 299).entries.map(\.index) == [2, 3])
        #expect(log.slice(from: 2, through: 5, maxBytes: 300).entries.map(\.index) == [2, 3, 4])
        #expect(log.slice(from: 2, through: 3, maxBytes: .max).bytes == 200)
    }

    @Test func `a known slice is used again only if it is the answer`() {
        let log = log(5)
        let known = log.slice(from: 2, through: 5, maxBytes: .max)
        #expect(log.slice(from: 2, through: 5, maxBytes: 400, known: known).entries == known.entries)
        #expect(log.slice(from: 2, through: 5, maxBytes: 399, known: known).entries.count == 3)
        #expect(log.slice(from: 3, through: 5, maxBytes: 400, known: known).entries.count == 3)
        #expect(log.slice(from: 2, through: 4, maxBytes: 400, known: known).entries.count == 3)
    }

    @Test func `the oldest entries leave when they are applied, durable and too many`() {
        var log = log(10)
        #expect(log.cachedBytes == 1000)
        log.commit(through: 8)
        while log.takeUnapplied(through: 8, maxBytes: .max) != nil {}
        log.applied(through: 6)
        log.evict(durable: 3, maxBytes: 0)
        #expect(log.firstCachedIndex == 4)
        log.evict(durable: 10, maxBytes: 600)
        #expect(log.firstCachedIndex == 5)
        log.evict(durable: 10, maxBytes: 0)
        #expect(log.firstCachedIndex == 7)
        #expect(log.cachedBytes == 400)
        #expect(log.term(at: 1) == 1)
    }

    @Test func `entries are handed out to be applied once, in pages`() {
        var log = log(6)
        log.commit(through: 5)
        #expect(log.takeUnapplied(through: 4, maxBytes: 250)?.map(\.index) == [1, 2])
        #expect(log.takeUnapplied(through: 4, maxBytes: 250)?.map(\.index) == [3, 4])
        #expect(log.takeUnapplied(through: 4, maxBytes: 250) == nil)
        #expect(log.takeUnapplied(through: 9, maxBytes: 250)?.map(\.index) == [5])
    }

    @Test func `cutting and truncating keep entries and terms together`() {
        var log = log(6)
        log.commit(through: 4)
        while log.takeUnapplied(through: 4, maxBytes: .max) != nil {}
        log.applied(through: 4)
        log.compact(through: id(1, 3))
        #expect(log.firstCachedIndex == 4)
        #expect(log.term(at: 2) == nil)
        #expect(log.term(at: 3) == 1)
        log.truncate(from: 5)
        #expect(log.last == id(1, 4))
        log.append(entry(2, 5))
        #expect(log.slice(from: 4, through: 5, maxBytes: .max).entries.map(\.term) == [1, 2])
    }
}

@Suite("Inflight window")
struct InflightsTests {
    @Test func `it is full by count or by bytes, and frees in order`() {
        var window = Inflights(maxMessages: 3, maxBytes: 100)
        window.add(lastIndex: 2, bytes: 10)
        window.add(lastIndex: 4, bytes: 10)
        #expect(!window.isFull)
        window.add(lastIndex: 6, bytes: 10)
        #expect(window.isFull)
        window.free(through: 3)
        #expect(window.count == 2 && window.bytes == 20 && !window.isFull)
        window.add(lastIndex: 7, bytes: 500)
        #expect(window.isFull)
        window.free(through: 7)
        #expect(window.count == 0 && window.bytes == 0)
    }
}
