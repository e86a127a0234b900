import ByteCoding
import Foundation
import KeyValue
import Raft
import Synchronization
import Testing

@testable import RaftStorage

/// Records, rules of the log and recovery over an engine that forgets what it may forget.
@Suite("Over a simulated disk")
struct SeamTests {
    private let configuration = StoreConfiguration(
        directory: "", node: NodeID(2), clusterName: "roost", founders: founders.voters)

    private func open(_ engine: SimulatedEngine, isNew: Bool = false) throws(StorageError) -> NodeStore {
        var identity = Identity(
            node: NodeID(2), clusterName: "roost", founders: founders.voters, incarnation: 5, isNew: false)
        identity.isNew = isNew
        return try NodeStore.open(configuration, identity: identity, engine: engine)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `a killed node finds what it had promised`(seed: UInt64) throws {
        var model = CrashModel(seed: seed)
        var engine = try SimulatedEngine()
        var store = try open(engine, isNew: true)
        _ = try store.recoverApplying()
        for _ in 0..<4 {
            try model.live(on: store)
            // What the operating system was handed survives a kill; what only memory held does not.
            engine = try engine.crashed(keepingOrdered: true, volatileBatches: 0)
            store = try open(engine)
            try model.check(store)
        }
    }

    @Test func `a store that lost power may have lost its last cut, and nothing else`() throws {
        let engine = try SimulatedEngine()
        let store = try open(engine, isNew: true)
        _ = try store.recoverApplying()
        try store.fill(1...10, term: 1)
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(6))
        let without = try open(try engine.crashed(keepingOrdered: false, volatileBatches: 0))
        #expect(try without.recoverApplying().state.truncated == .zero)
        #expect(try without.allEntries(from: 1, through: 10) == Array(1...10))
        // The next synced write carries it along.
        try store.write([batch(entries(11...11), commit: 10)])
        let with = try open(try engine.crashed(keepingOrdered: false, volatileBatches: 0))
        #expect(try with.recoverApplying().state.truncated.index == LogIndex(6))
    }

    @Test(arguments: 0...3) func `state that some flush of the engine's own made durable is not replayed`(
        batches: Int
    ) throws {
        let engine = try SimulatedEngine()
        let store = try open(engine, isNew: true)
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...3), commit: 3, term: 1)])
        for index in 1...3 as ClosedRange<UInt64> { try store.apply([entry(index)]) }
        let crashed = try open(try engine.crashed(keepingOrdered: true, volatileBatches: batches))
        #expect(try crashed.recoverApplying().replayed == Array(1...3).dropFirst(batches).map { UInt64($0) })
        #expect(try crashed.stateContent() == payloads(3))
    }

    @Test func `a failed write is final`() throws {
        let engine = try SimulatedEngine()
        let store = try open(engine, isNew: true)
        _ = try store.recoverApplying()
        engine.steps.begin(failing: 1)
        let error = try #require(throws: StorageError.self) { try store.write([batch(entries(1...1), term: 1)]) }
        #expect(error.kind == .io)
        engine.steps.end()
        #expect(throws: error) { try store.write([batch(entries(1...1), term: 1)]) }
        #expect(throws: error) { try store.setRemoved() }
        let crashed = try open(try engine.crashed(keepingOrdered: false, volatileBatches: 0))
        #expect(try crashed.recoverApplying().state.lastIndex == .zero)
    }

    @Test func `a crash at any step of making a directory lets it be made again`() throws {
        var failing = 1
        while true {
            let engine = try SimulatedEngine()
            engine.steps.begin(failing: failing)
            let isWhole = (try? open(engine, isNew: true)) != nil
            engine.steps.end()
            let crashed = try engine.crashed(keepingOrdered: false, volatileBatches: 0)
            let again = try open(crashed, isNew: true)
            #expect(try again.isSuspect())
            #expect(crashed.familyNames == [.root, .raft, .meta, .state(1)])
            if isWhole { break }
            failing += 1
        }
        #expect(failing > 5)
    }

    @Test func `an engine that lost a family or its records is refused`() throws {
        for lost in [.root, .raft, .meta, .state(1)] as [FamilyName] {
            let engine = try SimulatedEngine()
            _ = try open(engine, isNew: true)
            try engine.drop(lost)
            let error = #expect(throws: StorageError.self) { try open(engine) }
            #expect(error?.kind == .corruption, "\(lost)")
        }
        let empty = try SimulatedEngine([.root: .init(), .raft: .init(), .meta: .init(), .state(1): .init()])
        #expect(throws: StorageError.self) { try open(empty) }
    }
}

@Suite("The generations of the state")
struct GenerationGateTests {
    /// A family that notices use after its release.
    private final class Family: Sendable {
        let number: UInt64
        let isReleased = Atomic(false)
        init(_ number: UInt64) { self.number = number }
    }

    private final class Score: Sendable {
        let isDone = Atomic(false)
        let reads = Atomic(0)
        let bad = Atomic(0)
    }

    @Test func `a retired generation is released after its last reader, and not before`() {
        let gate = GenerationGate(number: 1, family: Family(1))
        gate.withCurrent { first in
            gate.exchange(number: 2, family: Family(2))
            #expect(first.number == 1)
            #expect(gate.takeDrained().isEmpty)
            gate.withCurrent { second in #expect(second.number == 2) }
            #expect(gate.takeDrained().isEmpty)
        }
        #expect(gate.takeDrained().map(\.number) == [1])
        #expect(gate.takeDrained().isEmpty)
        #expect(gate.current.number == 2)
    }

    /// Threads of their own: tasks that spin would keep the pool from everybody else.
    @Test func `no thread ever reads a released family`() {
        let gate = GenerationGate(number: 1, family: Family(1))
        let score = Score()
        let readers = (0..<3).map { _ in
            Thread {
                var newest: UInt64 = 0
                while !score.isDone.load(ordering: .relaxed) {
                    gate.withCurrent { family in
                        var isBad = family.number < newest
                        for _ in 0..<20 { isBad = isBad || family.isReleased.load(ordering: .relaxed) }
                        if isBad { score.bad.add(1, ordering: .relaxed) }
                        newest = family.number
                    }
                    score.reads.add(1, ordering: .relaxed)
                }
            }
        }
        for reader in readers { reader.start() }
        var number: UInt64 = 1
        var released = 0
        while number < 2000 || released == 0 || score.reads.load(ordering: .relaxed) < 10_000 {
            number += 1
            gate.exchange(number: number, family: Family(number))
            for family in gate.takeDrained() {
                family.isReleased.store(true, ordering: .sequentiallyConsistent)
                released += 1
            }
            if number % 100 == 0 { sched_yield() }
        }
        score.isDone.store(true, ordering: .relaxed)
        while readers.contains(where: { !$0.isFinished }) { usleep(1000) }
        #expect(score.bad.load(ordering: .relaxed) == 0)
        #expect(gate.takeDrained().count + released == Int(number) - 1)
    }
}
