import PeerTransport
import Testing

@testable import RoostNode

@Suite("Free space: limits and levels")
struct SpaceLimitsTests {
    private static let gigabyte: UInt64 = 1 << 30

    @Test(
        arguments: [
            // capacity -> min free, critical free, reserve, all in MiB
            (64, 3, 0, 1), (10 << 10, 512, 128, 256), (40 << 10, 2048, 512, 1024), (4 << 20, 2048, 512, 1024),
        ] as [(UInt64, UInt64, UInt64, UInt64)])
    func `by default 5 per cent stay free, a quarter of that is the end, half is the reserve, with upper bounds`(
        capacity: UInt64, minFree: UInt64, critical: UInt64, reserve: UInt64
    ) {
        let limits = SpaceLimits(NodeConfiguration.Storage(), capacityBytes: capacity << 20)
        #expect(limits.minFree >> 20 == minFree)
        #expect(limits.criticalFree >> 20 == critical)
        #expect(limits.reserve >> 20 == reserve)
    }

    @Test func `what is configured holds, and the rest follows from it`() {
        var storage = NodeConfiguration.Storage()
        storage.minFreeBytes = .bytes(800)
        var limits = SpaceLimits(storage, capacityBytes: Self.gigabyte)
        #expect((limits.minFree, limits.criticalFree, limits.reserve) == (800, 200, 400))
        storage.criticalFreeBytes = .bytes(10)
        storage.reserveBytes = .bytes(0)
        limits = SpaceLimits(storage, capacityBytes: Self.gigabyte)
        #expect((limits.minFree, limits.criticalFree, limits.reserve) == (800, 10, 0))
    }

    @Test func `on a small disk a compaction's room counts, unless the limit is off`() {
        var storage = NodeConfiguration.Storage()
        let limits = SpaceLimits(storage, capacityBytes: 80 << 20, scratch: 16 << 20)
        #expect(limits.minFree == 19 << 20)
        #expect(limits.criticalFree == 1 << 20)
        #expect(limits.reserve == 2 << 20)
        #expect(SpaceLimits(storage, capacityBytes: 80 << 30, scratch: 768 << 20).minFree == 2 << 30)
        storage.minFreeBytes = .bytes(0)
        #expect(SpaceLimits(storage, capacityBytes: 80 << 20, scratch: 16 << 20).minFree == 0)
    }

    @Test func `what a start has to write once more fits into the reserve`() {
        var storage = NodeConfiguration.Storage()
        let small = SpaceLimits(storage, capacityBytes: 400 << 20)
        #expect(small.maxUnflushedLogBytes(atMost: 64 << 20) == Int(small.reserve / 2))
        let large = SpaceLimits(storage, capacityBytes: 400 << 30)
        #expect(large.maxUnflushedLogBytes(atMost: 64 << 20) == 64 << 20)
        // Not so small that flushing is all that gets done.
        #expect(SpaceLimits(storage, capacityBytes: 1 << 20).maxUnflushedLogBytes(atMost: 64 << 20) == 256 << 10)
        storage.reserveBytes = .bytes(0)
        #expect(SpaceLimits(storage, capacityBytes: 400 << 20).maxUnflushedLogBytes(atMost: 64 << 20) == 64 << 20)
    }

    @Test func `a level falls at once and rises only a quarter above its limit`() {
        var storage = NodeConfiguration.Storage()
        storage.minFreeBytes = .bytes(1000)
        let limits = SpaceLimits(storage, capacityBytes: Self.gigabyte)
        var gauge = SpaceGauge()
        let steps: [(room: UInt64, level: Room.Level, changes: Bool)] = [
            (1000, .ample, false), (999, .low, true), (1249, .low, false), (1250, .ample, true), (249, .full, true),
            (312, .low, true), (250, .low, false), (249, .full, true), (311, .full, false), (1249, .low, true),
            (0, .full, true), (5000, .ample, true),
        ]
        for (number, step) in steps.enumerated() {
            let changes = gauge.take(room: step.room, limits)
            #expect(gauge.level == step.level, "step \(number)")
            #expect(changes == step.changes, "step \(number)")
        }
    }

    @Test func `a compaction under way changes no level, unless it takes the last`() {
        var storage = NodeConfiguration.Storage()
        storage.minFreeBytes = .bytes(1000)
        let limits = SpaceLimits(storage, capacityBytes: Self.gigabyte)
        var gauge = SpaceGauge()
        let changes = [
            gauge.take(room: 400, lasting: 1100, limits), gauge.take(room: 400, lasting: 900, limits),
            gauge.take(room: 900, lasting: 1300, limits), gauge.take(room: 200, lasting: 1300, limits),
        ]
        #expect(changes == [false, true, true, true])
        #expect(gauge.level == .full)
    }

    @Test func `a limit of zero never speaks up`() {
        var storage = NodeConfiguration.Storage()
        storage.minFreeBytes = .bytes(0)
        var gauge = SpaceGauge()
        let changes = gauge.take(room: 0, SpaceLimits(storage, capacityBytes: Self.gigabyte))
        #expect(!changes)
        #expect(gauge.level == .ample)
    }

    @Test(
        arguments: [
            (0, "0 B"), (10_239, "10239 B"), (10_240, "10 KiB"), (12 << 20, "12 MiB"), (9 << 30, "9216 MiB"),
            (60 << 30, "60 GiB"),
        ] as [(UInt64, String)])
    func `sizes are told in whole units`(size: UInt64, text: String) {
        #expect(ByteSize.rounded(size) == text)
    }
}
