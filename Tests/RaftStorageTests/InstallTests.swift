import ByteCoding
import Foundation
import KeyValue
import Raft
import RocksDB
import Synchronization
import Testing

@testable import RaftStorage

@Suite("Installing a snapshot")
struct InstallTests {
    let node: TestNode

    init() throws { node = try TestNode() }

    /// A store that is behind, with a log of its own that reaches beyond what it applied.
    private func behind(_ store: NodeStore) throws -> NodeStore {
        _ = try store.recoverApplying()
        try store.fill(1...8, term: 1)
        try store.write([batch(entries(9...12), commit: 8, term: 2, vote: NodeID(3))])
        return store
    }

    private func checkOld(_ store: NodeStore) throws {
        let state = try store.recoverApplying().state
        #expect(state.truncated == .zero)
        #expect([state.applied, state.commit, state.lastIndex].map(\.rawValue) == [8, 8, 12])
        #expect(try store.stateContent() == payloads(8))
    }

    private func checkNew(_ store: NodeStore) throws {
        let (state, replayed) = try store.recoverApplying()
        #expect(replayed == [])
        #expect(state.truncated == EntryID(term: Term(2), index: LogIndex(50)))
        #expect([state.applied, state.commit, state.lastIndex].map(\.rawValue) == [50, 50, 50])
        #expect(state.hardState == HardState(term: Term(2), vote: NodeID(3)))
        #expect(state.membership == founders)
        #expect(state.unapplied == [] && state.termRuns == [])
        try checkContent(store)
    }

    private func checkContent(_ store: NodeStore) throws {
        #expect(try store.stateContent() == payloads(50))
        #expect(try store.logIndexes() == [])
        #expect(try store.durableApplied(group) == EntryID(term: Term(2), index: LogIndex(50)))
        #expect(try store.appliedPosition(group)?.id.index == LogIndex(50))
    }

    @Test(arguments: LogTests.engines) func `state and log are the snapshot's at once, and life goes on behind it`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try behind(try node.open { $0.engine = engine })
        let machineBatch = store.state.makeBatch()
        let received = try store.receive(try .make(last: 50))
        try store.install(received)
        try checkContent(store)
        #expect(try store.shelf.files.names(in: "incoming") == [])

        // A batch object from before serves on.
        machineBatch.put(stateKey(LogIndex(50)), "again")
        try store.state.commit(machineBatch)
        #expect(try store.get(50) == "again")
        #expect(throws: StorageError.self) { try store.write([batch(entries(53...53, term: 2))]) }
        try store.fill(51...55, term: 2)
        #expect(try store.allEntries(from: 51, through: 99) == Array(51...55))
        #expect(try store.makeSnapshot(group).meta.index == LogIndex(55))
        if engine == .memory { return }
        try store.close()
        let state = try node.open().recoverApplying().state
        #expect([state.truncated.index, state.applied, state.lastIndex].map(\.rawValue) == [50, 55, 55])
    }

    @Test func `what is installed is durable without a flush`() throws {
        let store = try behind(try node.open())
        try store.install(try store.receive(try .make(last: 50)))
        try checkNew(try node.crashCopy(store).open())
    }

    @Test func `the second snapshot takes the place of the first`() throws {
        let store = try behind(try node.open())
        try store.install(try store.receive(try .make(last: 50)))
        try store.install(try store.receive(try .make(last: 90)))
        #expect(try store.stateContent() == payloads(90))
        #expect(store.rocks.familyNames == [.root, .raft, .meta, .state(3)])
        let crashed = try node.crashCopy(store).open()
        #expect(try crashed.recoverApplying().state.applied == LogIndex(90))
    }

    @Test func `a large snapshot is loaded`() throws {
        let store = try behind(try node.open())
        let snapshot = try SnapshotBytes.make(last: 3000, payloadBytes: 2000)
        try store.install(try store.receive(snapshot, chunkBytes: 256 << 10))
        #expect(try store.stateContent().count == 3000)
        #expect(store.statistics().stateTableBytes > 100_000)
    }

    @Test func `own snapshots that the log does not reach any more are removed`() throws {
        let store = try behind(try node.open())
        _ = try store.makeSnapshot(group)
        try store.install(try store.receive(try .make(last: 50)))
        #expect(try store.shelf.files.names(in: "snapshots") == [])
        #expect(try store.makeSnapshot(group).meta.index == LogIndex(50))
    }

    @Test func `a snapshot that would take the state back is refused and harms nothing`() throws {
        let store = try behind(try node.open())
        for last in [5, 8] as [UInt64] {
            let received = try store.receive(try .make(last: last))
            let error = #expect(throws: StorageError.self) { try store.install(received) }
            #expect(error?.kind == .invariant)
            try store.discard(received)
        }
        try store.fill(13...13, term: 3)
        #expect(store.rocks.familyNames == [.root, .raft, .meta, .state(1)])
        #expect(try store.shelf.files.names(in: "incoming") == [])
    }

    @Test func `a received file that goes wrong is no damage of this node's own data`() throws {
        let store = try behind(try node.open())
        try store.write([batch(commit: 8, term: 2, vote: NodeID(3))])
        let received = try store.receive(SnapshotBytes.make(last: 50))
        try node.flip(received.name, at: 200)
        // Not `.corruption`: a new start removes the file, and the leader sends it again.
        #expect(#expect(throws: StorageError.self) { try store.install(received) }?.kind == .io)
        store.abandon()
    }

    @Test func `changes that were begun on the old state are refused`() throws {
        let store = try behind(try node.open())
        let batch = store.state.makeBatch()
        batch.put("key", "value")
        try store.install(try store.receive(try .make(last: 50)))
        #expect(throws: StateStoreError.self) { try store.state.commit(batch) }
        try checkContent(store)
    }

    @Test(arguments: LogTests.engines) func `who reads the old state reads it to the end`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try behind(try node.open { $0.engine = engine })
        let received = try store.receive(try .make(last: 50))
        try store.state.withSnapshot { (snapshot) throws(StateStoreError) in
            do { try store.install(received) } catch { Issue.record(error) }
            var found: [String] = []
            let (lower, upper) = StateKey.contentRange(group: group.rawValue)
            try snapshot.scan(from: lower, to: upper) { _, value in
                found.append(Bytes(copying: value).text)
                return true
            }
            #expect(found == payloads(8))
            try stateKey(LogIndex(3)).withUnsafeBytes { (key) throws(StateStoreError) in
                try snapshot.read(key, tier: .all) { #expect($0.map { Bytes(copying: $0).text } == "entry 3") }
            }
        }
        try checkContent(store)
        try store.flushState()
        try store.close()
    }

    @Test func `the old state's space is free once its last reader has gone`() throws {
        let engine = try SimulatedEngine()
        let store = try behind(
            try NodeStore.open(node.configuration(), identity: try .make(for: node.configuration()), engine: engine))
        try store.install(try store.receive(try .make(last: 50)))
        #expect(engine.released.withLock { $0 } == [.state(1)])
        let received = try store.receive(try .make(last: 60))
        try store.state.withSnapshot { (_) throws(StateStoreError) in
            do { try store.install(received) } catch { Issue.record(error) }
        }
        #expect(engine.familyNames == [.root, .raft, .meta, .state(3)])
        #expect(engine.released.withLock { $0 } == [.state(1)])
        try store.flushState()
        #expect(engine.released.withLock { $0 } == [.state(1), .state(2)])
    }

    private final class Watch: Sendable {
        let isDone = Atomic(false)
        let problems = Mutex<[String]>([])
    }

    @Test func `threads that read all the while see the old state or the new one`() throws {
        let store = try behind(try node.open())
        let watch = Watch()
        let readers = (0..<4).map { _ in
            Thread {
                var newest: UInt64 = 0
                while !watch.isDone.load(ordering: .relaxed) {
                    do {
                        let last = try store.appliedPosition(group)?.id.index.rawValue ?? 0
                        if last < newest { watch.problems.withLock { $0.append("\(last) after \(newest)") } }
                        newest = last
                        guard try store.get(3) == "entry 3" else {
                            watch.problems.withLock { $0.append("entry 3 is missing") }
                            return
                        }
                    } catch {
                        watch.problems.withLock { $0.append("\(error)") }
                        return
                    }
                }
                watch.problems.withLock { $0.append("read to \(newest)") }
            }
        }
        for reader in readers { reader.start() }
        for last in stride(from: 20, through: 120, by: 10) as StrideThrough<UInt64> {
            try store.install(try store.receive(try .make(last: last)))
        }
        watch.isDone.store(true, ordering: .relaxed)
        while readers.contains(where: { !$0.isFinished }) { usleep(1000) }
        let reports = watch.problems.withLock { $0 }
        #expect(reports.count == 4 && reports.allSatisfy { $0.hasPrefix("read to ") }, "\(reports)")
        #expect(try store.appliedPosition(group)?.id.index == LogIndex(120))
        try store.close()
    }

    // MARK: Crashes

    @Test func `a crash at any step over a simulated disk leaves the old state or the new one`() throws {
        let snapshot = try SnapshotBytes.make(last: 50)
        var outcomes: [Bool] = []
        var failing = 1
        while true {
            let engine = try SimulatedEngine()
            let files = MemoryFiles()
            var identity = try Identity.make(for: node.configuration())
            let store = try behind(
                try NodeStore.open(
                    node.configuration(), identity: identity, engine: engine,
                    files: SteppedFiles(base: files, steps: engine.steps)))
            identity.isNew = false
            engine.steps.begin(failing: failing)
            let received = try? store.receive(snapshot)
            let isWhole = received.map { (try? store.install($0)) != nil } ?? false
            let taken = engine.steps.names
            engine.steps.end()
            for (keepingOrdered, volatileBatches) in [(true, 0), (false, 0), (true, 1), (false, .max)] {
                let crashed = try engine.crashed(keepingOrdered: keepingOrdered, volatileBatches: volatileBatches)
                let again = try NodeStore.open(
                    node.configuration(), identity: identity, engine: crashed, files: files)
                let isNew = crashed.family(.state(2)) != nil
                if isNew { try checkNew(again) } else { try checkOld(again) }
                #expect(crashed.familyNames.count == 4, "after \(taken)")
                #expect(try files.names(in: "incoming") == [])
                outcomes.append(isNew)
                #expect(isNew || !isWhole)
            }
            if isWhole { break }
            if received != nil {
                #expect(throws: StorageError.self, "a failed store takes nothing more") { try store.flushState() }
            }
            failing += 1
        }
        #expect(failing > 10)
        #expect(outcomes.contains(true) && outcomes.contains(false))
        // Once new, always new.
        #expect(outcomes == outcomes.sorted { !$0 && $1 })
    }

    @Test func `a crash at any step over RocksDB leaves the old state or the new one`() throws {
        try behind(try node.open()).close()
        let configuration = node.configuration()
        let directory = DataDirectory(path: node.directory)
        let identity = try #require(try directory.existingIdentity())
        let base = try RocksEngine.open(directory, configuration, creating: false)
        let steps = Steps()
        let files = try DirectoryFiles(root: directory.path)
        let store = try NodeStore.open(
            configuration, identity: identity, engine: SteppedEngine(base, steps),
            files: SteppedFiles(base: files, steps: steps))
        _ = try store.recoverApplying()

        let copies = Mutex<[(step: String, copy: TestNode)]>([])
        steps.begin { [node] step in
            do {
                try base.database.disableFileDeletions()
                defer { try? base.database.enableFileDeletions() }
                let copy = try node.copy()
                copies.withLock { $0.append((step, copy)) }
            } catch { Issue.record(error) }
        }
        try store.install(try store.receive(try .make(last: 50), chunkBytes: 10_000))
        steps.end()
        try checkNew(store)

        var outcomes: [Bool] = []
        for (step, copy) in copies.withLock({ $0 }) {
            let again = try copy.open()
            let isNew = again.rocks.family(.state(2)) != nil
            if isNew { try checkNew(again) } else { try checkOld(again) }
            #expect(again.rocks.familyNames.count == 4, "before \(step)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: copy.path("incoming")) == [])
            outcomes.append(isNew)
        }
        #expect(outcomes.count > 8)
        #expect(outcomes.contains(true) && outcomes.contains(false))
        #expect(outcomes == outcomes.sorted { !$0 && $1 })
        try store.close()
    }
}
