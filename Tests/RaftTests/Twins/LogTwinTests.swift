import ByteCoding
import Testing

@testable import Raft

/// A log that keeps everything in one array and counts anew each time.
private struct LogTwin {
    /// From index 1; those up to `base` are cut off.
    var entries: [Entry] = []
    var (base, firstCached, commit, applying, applied) = (0, 1, 0, 0, 0)

    var last: Int { entries.count }
    /// What is in memory.
    var cached: ArraySlice<Entry> { entries[(firstCached - 1)...] }
    var cachedBytes: Int { cached.reduce(0) { $0 + $1.footprintBytes } }

    func slice(from first: Int, through: Int, maxBytes: Int) -> [Entry] {
        var found: [Entry] = []
        var bytes = 0
        for entry in entries[(first - 1)..<through] {
            bytes += entry.footprintBytes
            if !found.isEmpty, bytes > maxBytes { break }
            found.append(entry)
        }
        return found
    }

    mutating func evict(durable: Int, maxBytes: Int) {
        while firstCached <= last, cachedBytes > maxBytes, firstCached <= min(durable, applied) { firstCached += 1 }
    }
}

@Suite("The log against an array")
struct LogTwinTests {
    private var random = SplitMix64(seed: 41)

    @Test func `any history leaves the same log`() throws {
        var test = self
        for _ in 0..<150 {
            var log = Log(terms: TermRuns(base: .zero), unapplied: [], commit: 0, applied: 0)
            var twin = LogTwin()
            var term: UInt64 = 1
            for _ in 0..<80 {
                test.act(&log, &twin, &term)
                test.compare(log, twin)
            }
        }
    }

    private mutating func act(_ log: inout Log, _ twin: inout LogTwin, _ term: inout UInt64) {
        switch random.next(below: UInt64(10)) {
        case 0 where twin.last > twin.commit:
            let from = twin.commit + 1 + below(twin.last - twin.commit)
            log.truncate(from: LogIndex(UInt64(from)))
            twin.entries.removeLast(twin.last - from + 1)
            twin.firstCached = min(twin.firstCached, twin.last + 1)
        case 1, 2:
            let index = twin.commit + below(twin.last - twin.commit + 1)
            log.commit(through: LogIndex(UInt64(index)))
            twin.commit = index
        case 3, 4:
            let (limit, bytes) = (below(twin.last + 2), below(400))
            let taken = log.takeUnapplied(through: LogIndex(UInt64(limit)), maxBytes: bytes)
            let end = min(limit, twin.commit)
            let expected =
                twin.applying < end ? twin.slice(from: twin.applying + 1, through: end, maxBytes: bytes) : nil
            #expect(taken == expected)
            twin.applying += expected?.count ?? 0
        case 5:
            let index = twin.applied + below(twin.applying - twin.applied + 1)
            log.applied(through: LogIndex(UInt64(index)))
            twin.applied = index
        case 6:
            let (durable, bytes) = (below(twin.last + 1), below(1500))
            log.evict(durable: LogIndex(UInt64(durable)), maxBytes: bytes)
            twin.evict(durable: durable, maxBytes: bytes)
        case 7 where twin.applied > twin.base:
            let index = twin.base + 1 + below(twin.applied - twin.base)
            log.compact(through: twin.entries[index - 1].id)
            twin.base = index
            twin.firstCached = max(twin.firstCached, index + 1)
        default:
            term += random.next(below: UInt64(4)) / 3
            let kind: Entry.Kind = random.next(below: UInt64(5)) == 0 ? .membership : .normal
            let entry = Entry(
                group: group, id: id(term, UInt64(twin.last) + 1), kind: kind,
                payload: Bytes([UInt8](repeating: 0, count: below(100))))
            // Terms only grow along a log, also after its end was cut.
            term = max(term, twin.entries.last?.term.rawValue ?? 0)
            log.append(entry)
            twin.entries.append(entry)
        }
    }

    private mutating func below(_ bound: Int) -> Int { Int(random.next(below: UInt64(bound))) }

    private mutating func compare(_ log: Log, _ twin: LogTwin) {
        #expect(log.lastIndex.rawValue == UInt64(twin.last))
        #expect(log.firstCachedIndex.rawValue == UInt64(twin.firstCached))
        #expect(log.cachedBytes == twin.cachedBytes)
        #expect(log.base == (twin.base == 0 ? .zero : twin.entries[twin.base - 1].id))
        #expect(log.term(at: log.lastIndex) == (twin.entries.last?.term ?? .zero))
        if !twin.cached.isEmpty { compareSlices(log, twin) }
        let changes = twin.applied < twin.commit ? twin.entries[twin.applied..<twin.commit] : []
        #expect(
            log.membershipChanges(after: log.appliedIndex, through: log.commitIndex)
                == changes.filter { $0.kind == .membership })
    }

    private mutating func compareSlices(_ log: Log, _ twin: LogTwin) {
        let first = twin.firstCached + below(twin.cached.count)
        let through = first + below(twin.last - first + 1)
        let bytes = below(800)
        let slice = log.slice(
            from: LogIndex(UInt64(first)), through: LogIndex(UInt64(through)), maxBytes: bytes,
            known: log.slice(from: LogIndex(UInt64(first)), through: log.lastIndex, maxBytes: .max))
        let expected = twin.slice(from: first, through: through, maxBytes: bytes)
        #expect(slice.entries == expected)
        #expect(slice.bytes == expected.reduce(0) { $0 + $1.footprintBytes })
        #expect(
            log.proposedBytes(from: LogIndex(UInt64(first)), through: LogIndex(UInt64(through)))
                == twin.entries[(first - 1)..<through].filter { $0.kind == .normal }
                .reduce(0) { $0 + $1.footprintBytes })
    }
}

@Suite("Flow control against lists")
struct FlowTwinTests {
    @Test func `the window of appends is the list of those that are not acknowledged`() {
        var random = SplitMix64(seed: 42)
        for _ in 0..<200 {
            let (maxMessages, maxBytes) = (1 + Int(random.next(below: UInt64(5))), Int(random.next(below: UInt64(300))))
            var window = Inflights(maxMessages: maxMessages, maxBytes: maxBytes)
            var list: [(last: UInt64, bytes: Int)] = []
            var last: UInt64 = 0
            for _ in 0..<60 {
                switch random.next(below: UInt64(8)) {
                case 0:
                    window.reset()
                    list = []
                case 1, 2, 3:
                    let index = random.next(below: last + 2)
                    window.free(through: LogIndex(index))
                    list.removeAll { $0.last <= index }
                default:
                    last += 1 + random.next(below: UInt64(3))
                    let bytes = Int(random.next(below: UInt64(100)))
                    window.add(lastIndex: LogIndex(last), bytes: bytes)
                    list.append((last, bytes))
                }
                let bytes = list.reduce(0) { $0 + $1.bytes }
                #expect(window.count == list.count)
                #expect(window.bytes == bytes)
                #expect(window.isFull == (list.count >= maxMessages || bytes >= maxBytes))
            }
        }
    }

    /// What is kept for members that lag may be more than was asked for, never less.
    @Test func `as many bytes as were asked for stay behind the place of a cut`() {
        var random = SplitMix64(seed: 43)
        var cuts = 0
        for _ in 0..<60 {
            var sizes = LogSizes()
            var footprints: [Int] = []
            for _ in 0..<120 {
                if random.next(below: UInt64(12)) == 0, !footprints.isEmpty {
                    let from = Int(random.next(below: UInt64(footprints.count)))
                    sizes.removeAll(from: LogIndex(UInt64(from) + 1), bytes: footprints[from...].reduce(0, +))
                    footprints.removeLast(footprints.count - from)
                } else {
                    let payload = Bytes([UInt8](repeating: 0, count: Int(random.next(below: UInt64(100_000)))))
                    let entry = Entry(
                        id: id(1, UInt64(footprints.count) + 1), kind: .normal, payload: payload, checksum: 0)
                    sizes.append(entry)
                    footprints.append(entry.footprintBytes)
                }
                let wanted = Int(random.next(below: UInt64(2_000_000)))
                let index = Int(sizes.lastIndex(leaving: wanted).rawValue)
                guard index > 0 else { continue }
                cuts += 1
                #expect(footprints[index...].reduce(0, +) >= wanted)
            }
        }
        #expect(cuts > 1000)
    }
}
