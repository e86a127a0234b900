import ByteCoding
import RaftStorage
import Testing

@testable import Simulator

@Suite("Simulator: the disk")
struct SimulatedDiskTests {
    private let state = FamilyName.state(1)

    private func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        _ = try disk.create(.raft)
        _ = try disk.create(state)
        return disk
    }

    private func put(
        _ key: Bytes, _ value: Bytes, _ family: FamilyName, _ disk: SimulatedDisk, _ durability: Durability
    )
        throws
    {
        let batch = disk.makeBatch()
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        key.withUnsafeBytes { key in
            value.withUnsafeBytes { batch.put(key, head: nothing, body: $0, tail: nothing, in: family) }
        }
        try disk.write(batch, durability)
    }

    private func value(_ key: Bytes, _ family: FamilyName, _ disk: SimulatedDisk, _ tier: EngineTier = .all) throws
        -> Bytes?
    {
        try key.withUnsafeBytes { key in
            try disk.read(key, in: family, at: nil, tier: tier) { $0.map { Bytes(copying: $0) } }
        }
    }

    @Test func `a synced write survives a crash, an ordered one survives with the next synced one`() throws {
        let disk = try disk()
        var random = RandomStream(seed: 1)
        try put("a", "1", .raft, disk, .ordered)
        try put("b", "2", .raft, disk, .synced)
        try put("c", "3", .raft, disk, .ordered)
        let survived = disk.crash(&random, losesAll: 10_000)
        #expect(!survived)
        #expect(try value("a", .raft, disk) == "1")
        #expect(try value("b", .raft, disk) == "2")
        #expect(try value("c", .raft, disk) == nil)
    }

    @Test func `a sync under way counts only when it is finished`() throws {
        var random = RandomStream(seed: 1)
        let lost = try disk()
        lost.beginSync()
        try put("a", "1", .raft, lost, .synced)
        _ = lost.crash(&random, losesAll: 10_000)
        #expect(try value("a", .raft, lost) == nil)

        let kept = try disk()
        kept.beginSync()
        try put("a", "1", .raft, kept, .synced)
        kept.finishSync()
        _ = kept.crash(&random, losesAll: 10_000)
        #expect(try value("a", .raft, kept) == "1")
    }

    @Test func `a crash keeps a first part of the unsynced writes, any of them in time`() throws {
        var counts = [Int](repeating: 0, count: 5)
        for seed in UInt64(1)...200 {
            let disk = try disk()
            var random = RandomStream(seed: seed)
            for number in 0..<4 { try put(Bytes("\(number)"), "x", .raft, disk, .ordered) }
            _ = disk.crash(&random, losesAll: 0)
            let kept = try (0..<4).map { try value(Bytes("\($0)"), .raft, disk) != nil }
            let count = kept.count { $0 }
            #expect(kept == (0..<4).map { $0 < count })
            counts[count] += 1
        }
        #expect(counts.allSatisfy { $0 > 10 })
    }

    @Test func `a state is what was flushed, or later`() throws {
        var kept = Set<Bytes>()
        for seed in UInt64(1)...200 {
            let disk = try disk()
            var random = RandomStream(seed: seed)
            try put("k", "flushed", state, disk, .volatile)
            try disk.flush(state)
            try put("k", "later", state, disk, .volatile)
            try put("k", "last", state, disk, .volatile)
            #expect(try value("k", state, disk, .persisted) == "flushed")
            #expect(try value("k", state, disk) == "last")
            _ = disk.crash(&random, losesAll: 0)
            if let value = try value("k", state, disk) { kept.insert(value) }
        }
        #expect(kept == ["flushed", "later", "last"])
    }

    @Test func `a failed sync throws, and leaves unknown what it wrote`() throws {
        let disk = try disk()
        var random = RandomStream(seed: 3)
        disk.failsNextSync = true
        #expect(throws: EngineError.self) { try put("a", "1", .raft, disk, .synced) }
        _ = disk.crash(&random, losesAll: 10_000)
        #expect(try value("a", .raft, disk) == nil)
    }

    @Test func `a disk fails after the given number of changes, for good`() throws {
        let disk = try disk()
        disk.changesUntilFailure = 1
        try put("a", "1", .raft, disk, .synced)
        #expect(throws: EngineError.self) { try put("b", "2", .raft, disk, .synced) }
        #expect(throws: EngineError.self) { try disk.flush(state) }
    }

    @Test func `after a failed sync nothing gets durable any more, whatever later ones say`() throws {
        let disk = try disk()
        var random = RandomStream(seed: 3)
        disk.failsNextSync = true
        #expect(throws: EngineError.self) { try put("a", "1", .raft, disk, .synced) }
        try put("b", "2", .raft, disk, .synced)
        _ = disk.crash(&random, losesAll: 10_000)
        #expect(try value("b", .raft, disk) == nil)
        // The next process starts on what is there.
        try put("c", "3", .raft, disk, .synced)
        _ = disk.crash(&random, losesAll: 10_000)
        #expect(try value("c", .raft, disk) == "3")
    }

    @Test func `another synced write makes the one under way durable too`() throws {
        let disk = try disk()
        var random = RandomStream(seed: 1)
        disk.beginSync()
        try put("a", "1", .raft, disk, .synced)
        let hasBegun = disk.hasBegunSync()
        #expect(hasBegun)
        try put("b", "2", .raft, disk, .synced)
        disk.finishSync()
        _ = disk.crash(&random, losesAll: 10_000)
        #expect(try value("a", .raft, disk) == "1")
        #expect(try value("b", .raft, disk) == "2")
    }

    @Test func `a write of nothing syncs nothing, and the next one is durable by itself`() throws {
        let disk = try disk()
        var random = RandomStream(seed: 1)
        try put("cut", "1", .raft, disk, .ordered)
        disk.beginSync()
        let hasBegun = disk.hasBegunSync()
        #expect(!hasBegun)
        disk.finishSync()
        _ = disk.crash(&random, losesAll: 10_000)
        #expect(try value("cut", .raft, disk) == nil)
        try put("b", "2", .raft, disk, .synced)
        _ = disk.crash(&random, losesAll: 10_000)
        #expect(try value("b", .raft, disk) == "2")
    }

    @Test func `a full disk takes nothing, says why, and is as before when there is room`() throws {
        let disk = try disk()
        try put("a", "1", .raft, disk, .synced)
        disk.isFull = true
        for durability in [Durability.synced, .ordered] {
            let error = #expect(throws: EngineError.self) { try put("b", "2", .raft, disk, durability) }
            #expect(error?.kind == .noSpace)
        }
        #expect(throws: EngineError.self) { try disk.flush(state) }
        #expect(throws: EngineError.self) { try disk.create(.state(2)) }
        let files = SimulatedFiles(disk: disk)
        #expect(throws: StorageError.self) { try files.create("incoming/a") }
        disk.isFull = false
        #expect(try value("b", .raft, disk) == nil)
        try put("b", "2", .raft, disk, .synced)
        #expect(try value("b", .raft, disk) == "2")
    }

    @Test func `where there is no room for a snapshot there may be some for a write`() throws {
        let disk = try disk()
        let files = SimulatedFiles(disk: disk)
        let file = try files.create("incoming/a")
        disk.isNearlyFull = true
        try put("a", "1", .raft, disk, .synced)
        let error = #expect(throws: StorageError.self) { try file.append("x") }
        #expect(error?.kind == .noSpace)
    }

    @Test(arguments: [FamilyName.raft, .meta])
    func `a flipped bit changes one value of a record`(family: FamilyName) throws {
        let disk = try disk()
        _ = try disk.create(.meta)
        var random = RandomStream(seed: 5)
        let nothing = disk.flipBit(in: family, &random)
        #expect(!nothing)
        try put("a", "value", family, disk, .synced)
        _ = disk.crash(&random, losesAll: 0)
        let flipped = disk.flipBit(in: family, &random)
        #expect(flipped)
        let after = try value("a", family, disk)
        #expect(after != "value")
        #expect(after?.count == 5)
    }

    @Test func `a flipped bit of the state fails the reads of its block, never lies, and goes with its family`() throws
    {
        let disk = try disk()
        var random = RandomStream(seed: 5)
        try put("k", "value", state, disk, .volatile)
        try disk.flush(state)
        _ = disk.crash(&random, losesAll: 0)
        let flipped = disk.flipBit(in: state, &random)
        #expect(flipped)
        let error = #expect(throws: EngineError.self) { try value("k", state, disk) }
        #expect(error?.kind == .corruption)
        #expect(throws: EngineError.self) {
            try disk.scan(from: "a", to: nil, in: state, at: nil, isLong: true) { _, _ in true }
        }
        #expect(try value("other", state, disk) == nil)
        try disk.drop(state)
        _ = try disk.create(state)
        #expect(try value("k", state, disk) == nil)
    }

    @Test func `a bit of a snapshot's file flips once, in the wanted read`() throws {
        let files = SimulatedFiles(disk: try disk())
        let file = try files.create("incoming/a")
        try file.append("12345678")
        files.rotsAfterReads = 1
        #expect(try file.read(at: 0, count: 8) == "12345678")
        #expect(try file.read(at: 0, count: 8) != "12345678")
        #expect(files.rotsAfterReads == nil)
        #expect(try file.read(at: 0, count: 8) == "12345678")
        #expect(files.count == 1)
    }
}
