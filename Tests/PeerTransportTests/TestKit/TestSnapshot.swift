import ByteCoding
import Dispatch
import Glibc
import PeerTransport
import Raft
import Synchronization

/// Bytes that can be told apart by their place, however many: one block again and again, of a length that no chunk has.
final class TestSource: SnapshotSource {
    private static let blockBytes = 1_000_003
    private let block: [UInt8]
    let metadata: Bytes
    let totalBytes: UInt64
    /// From this offset on it cannot be read.
    private let failsAt: UInt64

    init(metadata: Bytes = "snapshot 1", bytes: UInt64, failsAt: UInt64 = .max) {
        var random = SplitMix64(seed: bytes)
        block = [UInt8](unsafeUninitializedCapacity: Self.blockBytes) { bytes, count in
            let raw = UnsafeMutableRawBufferPointer(bytes)
            for offset in stride(from: 0, to: Self.blockBytes - 7, by: 8) {
                raw.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
            }
            for offset in Self.blockBytes - Self.blockBytes % 8..<Self.blockBytes { raw[offset] = 0x5A }
            count = Self.blockBytes
        }
        self.metadata = metadata
        totalBytes = bytes
        self.failsAt = failsAt
    }

    func read(offset: UInt64, count: Int) throws(SnapshotSourceError) -> Bytes {
        guard offset < failsAt else { throw SnapshotSourceError("the file is gone") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let start = Int((offset + UInt64(bytes.count)) % UInt64(Self.blockBytes))
            bytes += block[start..<min(start + count - bytes.count, Self.blockBytes)]
        }
        return Bytes(bytes)
    }
}

/// Compares what comes with what was sent, on a thread of its own as a disk would.
final class TestSink: SnapshotSink {
    enum Event: Hashable, Sendable {
        case appended(UInt64, count: Int)
        case finished
        case interrupted(String)
        /// A call that came while another was under way, or with the wrong bytes.
        case wrong(String)
    }

    let events: Recorder<Event>
    private let source: TestSource
    private let state: Mutex<State>
    private let disk = DispatchQueue(label: "disk")

    private struct State: Sendable {
        var offset: UInt64
        var isBusy = false
        /// Calls wait here while the disk is stuck.
        var isStuck: Bool
        /// The disk gets stuck by itself at the first call from this offset on.
        var sticksAt: UInt64
        var stuck: [@Sendable () -> Void] = []
        var failure: String?
    }

    init(_ source: TestSource, isStuck: Bool = false, sticksAt: UInt64 = .max) {
        self.source = source
        events = Recorder()
        state = Mutex(State(offset: 0, isStuck: isStuck, sticksAt: sticksAt))
    }

    /// Whether a call waits for the disk.
    var isWaiting: Bool { state.withLock { !$0.stuck.isEmpty } }

    var offset: UInt64 { state.withLock { $0.offset } }

    /// The disk goes on.
    func release() {
        let stuck = state.withLock { state in
            state.isStuck = false
            state.sticksAt = .max
            defer { state.stuck = [] }
            return state.stuck
        }
        for call in stuck { call() }
    }

    /// Calls `body` with the offset once a call that is under way is done, as a disk's thread would.
    func whenIdle(_ body: @escaping @Sendable (UInt64) -> Void) {
        disk.async {
            self.state.withLock { $0.isBusy = false }
            body(self.offset)
        }
    }

    /// The next call fails.
    func fail(_ sentence: String) { state.withLock { $0.failure = sentence } }

    func append(_ chunk: Bytes, at offset: UInt64, done: @escaping @Sendable (SnapshotSinkResult) -> Void) {
        work(done) {
            let expected = try? self.source.read(offset: offset, count: chunk.count)
            guard offset == self.offset, expected.map({ self.isSame($0, chunk) }) == true else {
                self.events.append(.wrong("\(chunk.count) bytes at \(offset), \(self.offset) was next"))
                return
            }
            self.state.withLock { $0.offset += UInt64(chunk.count) }
            self.events.append(.appended(offset, count: chunk.count))
        }
    }

    func finish(done: @escaping @Sendable (SnapshotSinkResult) -> Void) {
        work(done) { self.events.append(self.offset == self.source.totalBytes ? .finished : .wrong("finished early")) }
    }

    func interrupted(_ reason: String) { events.append(.interrupted(reason)) }

    private func work(
        _ done: @escaping @Sendable (SnapshotSinkResult) -> Void, _ body: @escaping @Sendable () -> Void
    ) {
        let call = { @Sendable in
            self.disk.async {
                if let failure = self.state.withLock({ $0.failure }) { return done(.failed(failure)) }
                body()
                self.state.withLock { $0.isBusy = false }
                done(.done)
            }
        }
        let (wasBusy, isStuck) = state.withLock { state in
            defer { state.isBusy = true }
            if state.offset >= state.sticksAt { state.isStuck = true }
            if state.isStuck { state.stuck.append(call) }
            return (state.isBusy, state.isStuck)
        }
        if wasBusy { events.append(.wrong("a call before the one before was done")) }
        if !isStuck { call() }
    }

    private func isSame(_ a: Bytes, _ b: Bytes) -> Bool {
        a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in a.count == b.count && memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 }
        }
    }
}

extension [TestSink.Event] {
    var wrong: [TestSink.Event] { filter { if case .wrong = $0 { true } else { false } } }
    var interruptions: Int { count { if case .interrupted = $0 { true } else { false } } }
    var appendedBytes: Int { reduce(0) { if case .appended(_, let count) = $1 { $0 + count } else { $0 } } }
}

/// The delegate of a node that takes one snapshot into one sink, and goes on from where that sink is.
func receiver(into sink: TestSink, offers: Recorder<SnapshotOffer> = Recorder()) -> RecordingDelegate {
    RecordingDelegate(offered: { offer, answer in
        offers.append(offer)
        sink.whenIdle { answer(.accept(sink, resumeAt: $0)) }
    })
}

extension TestNode {
    /// Sends a snapshot to node 2; what `sendSnapshot` tells goes to the recorder.
    @discardableResult func sendSnapshot(
        _ source: TestSource, to node: UInt64 = 2, ends: Recorder<SnapshotTransferEnd>,
        progress: Recorder<SnapshotProgress> = Recorder()
    ) -> SnapshotTransfer {
        transport.sendSnapshot(
            to: NodeID(node), group: GroupID(1), term: Term(3), source: source,
            onProgress: { progress.append($0) }, onEnd: { ends.append($0) })
    }
}
