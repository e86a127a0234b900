import ByteCoding
import Testing

@testable import Raft

/// A disk that takes the batches in order, and can be asked what it holds: what the queue computes from positions alone.
private struct DiskTwin {
    var entries: [Entry] = []
    var hardState = HardState()

    mutating func write(_ batch: PersistBatch) {
        if let new = batch.hardState { hardState = new }
        if let from = batch.truncateFrom { entries.removeAll { $0.index >= from } }
        #expect(batch.entries.first.map { Int($0.index.rawValue) == entries.count + 1 } ?? true, "a hole in the log")
        entries.append(contentsOf: batch.entries)
    }

    /// How much of this log is on the disk.
    func durable(of log: [Entry]) -> Int {
        zip(entries, log).prefix { $0 == $1 }.count
    }
}

/// Late reports, overwritten entries and batches in between: what counts as durable must be on the disk (etcd's test of
/// this is called async_storage_writes_append_aba_race).
@Suite("The queue to the disk against a disk")
struct PersistQueueTwinTests {
    private struct Group {
        var queue = PersistQueue(lastIndex: 0)
        var log = Log(terms: TermRuns(base: .zero), unapplied: [], commit: 0, applied: 0)
        /// The log once more, as an array.
        var entries: [Entry] = []
        var hardState = HardState(term: 1)
        var underWay: [PersistBatch] = []
        var disk = DiskTwin()
        /// Promises by their number: what must be on the disk when they leave.
        var promises: [UInt64: (entry: Entry?, hardState: HardState)] = [:]
        var left: [UInt64] = []
    }

    @Test func `nothing counts as durable that the disk does not hold, and no promise leaves before it is true`() {
        var random = SplitMix64(seed: 51)
        var (released, overwritten) = (0, 0)
        for _ in 0..<300 {
            var group = Group()
            for _ in 0..<80 { act(&group, &random, &overwritten) }
            // Everything gets there in the end.
            act(&group, drainingWith: &random)
            #expect(group.queue.durableIndex == group.log.lastIndex)
            #expect(group.disk.entries == group.entries)
            released += group.left.count
        }
        #expect(released > 1000 && overwritten > 500, "\(released) promises left, \(overwritten) entries overwritten")
    }

    private func act(_ group: inout Group, _ random: inout SplitMix64, _ overwritten: inout Int) {
        switch random.next(below: UInt64(9)) {
        case 0 where !group.entries.isEmpty:
            let from = 1 + Int(random.next(below: UInt64(group.entries.count)))
            overwritten += group.entries.count - from + 1
            group.entries.removeLast(group.entries.count - from + 1)
            group.log.truncate(from: LogIndex(UInt64(from)))
            group.queue.truncated(from: LogIndex(UInt64(from)))
            // As in Raft: what takes their place has a term of its own.
            group.hardState = HardState(term: group.hardState.term.next)
            group.queue.hardStateChanged()
            append(&group)
        case 1, 2: append(&group)
        case 3:
            group.hardState = HardState(term: group.hardState.term.next, vote: 2)
            group.queue.hardStateChanged()
        case 4: promise(&group, &random)
        case 5, 6: takeBatch(&group)
        default: if !group.underWay.isEmpty { complete(&group, 1 + Int(random.next(below: UInt64(3)))) }
        }
        check(group)
    }

    private func act(_ group: inout Group, drainingWith random: inout SplitMix64) {
        takeBatch(&group)
        if !group.underWay.isEmpty { complete(&group, .max) }
        check(group)
    }

    private func append(_ group: inout Group) {
        let new = entry(group.hardState.term.rawValue, UInt64(group.entries.count) + 1)
        group.entries.append(new)
        group.log.append(new)
        group.queue.appended()
    }

    /// Promises an entry of the log, term and vote.
    private func promise(_ group: inout Group, _ random: inout SplitMix64) {
        let number = UInt64(group.promises.count) + 1
        let index = Int(random.next(below: UInt64(group.entries.count + 1)))
        group.promises[number] = (index == 0 ? nil : group.entries[index - 1], group.hardState)
        let message = Message(
            group: GroupID(1), from: 1, to: 2, term: group.hardState.term, body: .heartbeatResponse(round: number))
        if !group.queue.hold(message, untilDurable: LogIndex(UInt64(index))) { leave(message, &group) }
    }

    private func takeBatch(_ group: inout Group) {
        var slice: EntrySlice?
        if let batch = group.queue.takeBatch(
            group: GroupID(1), hardState: group.hardState, log: group.log, now: .zero, slice: &slice)
        {
            group.underWay.append(batch)
        }
    }

    private func complete(_ group: inout Group, _ count: Int) {
        let done = group.underWay.prefix(count)
        for batch in done { group.disk.write(batch) }
        group.underWay.removeFirst(done.count)
        for message in group.queue.completed(done.last!.ticket) { leave(message, &group) }
    }

    /// A promise of an earlier term is void: the core does not send it.
    private func leave(_ message: Message, _ group: inout Group) {
        guard case .heartbeatResponse(let number) = message.body, message.term == group.hardState.term,
            let promised = group.promises[number]
        else { return }
        group.left.append(number)
        #expect(group.disk.hardState == promised.hardState || promised.hardState == HardState(term: 1))
        if let entry = promised.entry { #expect(group.disk.entries.contains(entry), "\(entry.id) is not on the disk") }
    }

    private func check(_ group: Group) {
        let durable = group.disk.durable(of: group.entries)
        #expect(group.queue.durableIndex.rawValue <= UInt64(durable))
        #expect(group.queue.durableIndex <= group.queue.writtenIndex)
        // With nothing under way, nothing is underrated either.
        if group.underWay.isEmpty, !group.queue.isNeeded { #expect(group.queue.durableIndex == group.log.lastIndex) }
    }
}
