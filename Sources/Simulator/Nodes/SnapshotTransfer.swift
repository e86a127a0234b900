import ByteCoding
import Raft
import RaftStorage

/// A snapshot on its way over a connection of its own: pieces one after the other, each acknowledged; after a break it goes
/// on where the receiver is.
struct SnapshotTransfer {
    static let maxFailures = 6

    /// Unlike its place in `World.transfers` never used again: what a broken transfer left is not taken for its
    /// successor's.
    var serial: UInt64
    var from: Int
    var fromLife: UInt32
    var to: Int
    /// The sender's term when it was asked for.
    var term: Term
    /// The sender's log begins after it.
    var base: LogIndex
    /// `nil` until the snapshot is made.
    var reader: SnapshotReader?
    var failures = 0
    /// Set once the sender is to be told.
    var report: SnapshotReport?
}

extension World {
    /// Making a snapshot takes some milliseconds, now and then as long as an election.
    func planTransfer(from process: NodeProcess, to: Int, notBefore base: LogIndex) {
        transfersBegun += 1
        let transfer = SnapshotTransfer(
            serial: transfersBegun, from: process.place, fromLife: process.life, to: to, term: process.view.term,
            base: base)
        let isSlow = driverRandom.chance(1_000)
        let mean = isSlow ? options.core.electionTimeout : 2 * Nanoseconds.perMillisecond
        let pause = driverRandom.duration(mean: mean) + nemesis.snapshotWanted(by: process.place, for: to)
        plan(.snapshot(transfer: transfers.insert(transfer), step: .made), after: pause)
    }

    func snapshotMoved(_ number: Int32, _ step: SnapshotStep) {
        guard var transfer = transfers[number] else { return }
        if step == .reported { return finish(number, transfer) }
        // The connection ends with the sender's process.
        guard let sender = nodes[transfer.from].process(of: transfer.fromLife) else { return close(number, transfer) }
        guard nodes[transfer.from].isUp else {
            return plan(.snapshot(transfer: number, step: step), after: Self.snapshotPause)
        }
        if step == .made { return make(number, transfer, sender) }
        if isConnected(transfer), !buggify.fires(.breakTransfer, chance: 2_000) {
            move(number, &transfer)
        } else {
            transfer.failures += 1
            if transfer.failures > SnapshotTransfer.maxFailures { transfer.report = .failed }
        }
        let pause = transfer.failures > 0 && transfer.report == nil ? Self.snapshotPause : 0
        transfers[number] = transfer
        let next: SnapshotStep = transfer.report == nil ? .chunkArrived : .reported
        plan(.snapshot(transfer: number, step: next), after: pause + network.delay())
    }

    /// Between two attempts.
    private static let snapshotPause = 20 * Nanoseconds.perMillisecond

    private func make(_ number: Int32, _ transfer: SnapshotTransfer, _ sender: NodeProcess) {
        var transfer = transfer
        transfer.reader = sender.makeSnapshot(notBefore: transfer.base)
        if let reader = transfer.reader {
            say { "n\(sender.node.id) sends n\(transfer.to + 1) \(reader.meta.id), \(reader.totalBytes) bytes" }
            sender.noteSnapshot(reader.meta, in: transfer.term, to: nodes[transfer.to].id)
        } else {
            transfer.report = .failed
        }
        transfers[number] = transfer
        let next: SnapshotStep = transfer.report == nil ? .chunkArrived : .reported
        plan(.snapshot(transfer: number, step: next), after: network.delay())
    }

    private func isConnected(_ transfer: SnapshotTransfer) -> Bool {
        nodes[transfer.to].isUp && !network.isCut(from: transfer.from, to: transfer.to)
            && !network.isCut(from: transfer.to, to: transfer.from) && knowEachOther(transfer.from, transfer.to)
    }

    /// The next piece arrives.
    private func move(_ number: Int32, _ transfer: inout SnapshotTransfer) {
        let sender = nodes[transfer.from].id
        guard let process = nodes[transfer.to].process, let reader = transfer.reader,
            let offset = process.beginReceiving(transfer.serial, reader.description, from: sender)
        else {
            transfer.report = .failed
            return
        }
        if transfer.failures > 0, offset > 0 { marks.reach(.snapshotResumed) }
        transfer.failures = 0
        let count = min(options.shell.snapshotChunkBytes, Int(reader.totalBytes - offset))
        guard let chunk = try? reader.read(offset: offset, count: count),
            let reached = process.receive(mayDamage(chunk), of: transfer.serial, at: offset)
        else {
            transfer.report = .failed
            return
        }
        guard reached == reader.totalBytes else { return }
        let isWhole = process.finishReceiving(transfer.serial, from: sender, term: transfer.term)
        transfer.report = isWhole ? .delivered(reader.meta.index) : .failed
    }

    /// Bits flip in memory too, behind the checksums of the network.
    private func mayDamage(_ chunk: Bytes) -> Bytes {
        guard options.faults.contains(.corruption), !network.isCalm, chunk.count > 0, diskRandom.chance(100) else {
            return chunk
        }
        var bytes = chunk.array
        bytes[diskRandom.below(bytes.count)] ^= 1 << UInt8(diskRandom.below(8))
        return Bytes(bytes)
    }

    private func close(_ number: Int32, _ transfer: SnapshotTransfer) {
        _ = transfers.remove(number)
        nodes[transfer.to].process?.transferEnded(transfer.serial)
    }

    private func finish(_ number: Int32, _ transfer: SnapshotTransfer) {
        close(number, transfer)
        guard let report = transfer.report, let process = nodes[transfer.from].process(of: transfer.fromLife) else {
            return
        }
        process.give(.snapshotReported(to: nodes[transfer.to].id, report))
    }
}
