import Testing

@testable import KeyValue

@Suite("The order of sessions' last uses")
struct SessionTableTests {
    private func used(_ index: UInt64) -> SessionRecord {
        SessionRecord(.standard, openedBy: Version(index: index, ordinal: 0), stamp: 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the oldest one is that of a walk over all, and memory stays within bounds`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let table = SessionTable()
        var lastUses: [SessionID: UInt64] = [:]
        for index in 1...3000 as ClosedRange<UInt64> {
            let session = SessionID(index: UInt64.random(in: 0..<30, using: &random), ordinal: 0)
            if Int.random(in: 0..<10, using: &random) == 0 {
                table.remove(session)
                lastUses[session] = nil
            } else {
                table.put(session, used(index))
                lastUses[session] = index
            }
            if index % 7 == 0 { #expect(table.leastRecentlyUsed == lastUses.min { $0.value < $1.value }?.key) }
            #expect(table.count == lastUses.count)
            #expect(table.rememberedUses <= 2 * 30 + 65)
        }
    }

    @Test func `a table without sessions has no oldest one`() {
        let table = SessionTable()
        #expect(table.leastRecentlyUsed == nil)
        table.put(SessionID(index: 1, ordinal: 0), used(1))
        table.remove(SessionID(index: 1, ordinal: 0))
        #expect(table.leastRecentlyUsed == nil && table.count == 0)
    }
}
