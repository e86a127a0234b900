import ByteCoding
import Raft
import RaftStorage

/// Snapshots that a node receives, those that it has, and the one that it is to install.
struct SnapshotDesk {
    struct Incoming {
        var transfer: UInt64
        var writer: SnapshotWriter
    }

    var incoming: [Incoming] = []
    var received: [ReceivedSnapshot] = []
    var toInstall: SnapshotMeta?
    var isInstalling = false
}

extension NodeProcess {
    // MARK: Leader

    /// Snapshots are made beside the turns, when their thread comes to it: by then this node may be in a later term, or
    /// lead no more.
    func sendSnapshot(to follower: NodeID) {
        world.marks.reach(.snapshotWanted)
        guard let to = world.place(of: follower) else { return }
        world.planTransfer(from: self, to: to, notBefore: core.status.firstIndex.previous)
    }

    /// - Returns: `nil` when only the snapshot failed, or the process ends.
    func makeSnapshot(notBefore base: LogIndex) -> SnapshotReader? {
        if world.buggify.fires(.refuseSnapshot, chance: 2_000) { return nil }
        do throws(StorageError) {
            let reader = try store.makeSnapshot(world.group, notBefore: base)
            world.judge.offers(reader.meta, on: place)
            if let tree = stateTree, reader.meta.index == position.id.index {
                world.judge.compareSnapshot(tree, reader.meta, on: place)
            }
            return reader
        } catch {
            if error.kind == .noSpace { world.marks.reach(.snapshotWithoutSpace) } else { fail(error) }
            return nil
        }
    }

    // MARK: Follower

    /// Where the sender is to go on; `nil` when this snapshot is refused.
    func beginReceiving(_ transfer: UInt64, _ description: SnapshotDescription, from sender: NodeID) -> UInt64? {
        if let known = snapshots.incoming.first(where: { $0.transfer == transfer }) { return known.writer.offset }
        do throws(SnapshotError) {
            let writer = try store.receiveSnapshot(description, from: sender)
            snapshots.incoming.append(SnapshotDesk.Incoming(transfer: transfer, writer: writer))
            return writer.offset
        } catch {
            refuse(error)
            return nil
        }
    }

    /// - Returns: what the writer has now; `nil` when it refuses.
    func receive(_ bytes: Bytes, of transfer: UInt64, at offset: UInt64) -> UInt64? {
        guard let incoming = snapshots.incoming.first(where: { $0.transfer == transfer }) else { return nil }
        do throws(SnapshotError) {
            try incoming.writer.append(bytes, at: offset)
            return incoming.writer.offset
        } catch {
            snapshots.incoming.removeAll { $0.transfer == transfer }
            refuse(error)
            return nil
        }
    }

    /// All of it is here.
    ///
    /// - Returns: whether it is whole.
    func finishReceiving(_ transfer: UInt64, from sender: NodeID, term: Term) -> Bool {
        guard let place = snapshots.incoming.firstIndex(where: { $0.transfer == transfer }) else { return false }
        let writer = snapshots.incoming.remove(at: place).writer
        do throws(SnapshotError) {
            let received = try writer.finish()
            snapshots.received.append(received)
            give(.snapshotReceived(received.description.meta, from: sender, term: term))
            return true
        } catch {
            refuse(error)
            return false
        }
    }

    /// The connection is closed, one way or the other.
    func transferEnded(_ transfer: UInt64) { snapshots.incoming.removeAll { $0.transfer == transfer } }

    private func refuse(_ error: SnapshotError) {
        switch error {
        // Another transfer has taken its place, or a bit has flipped on the way.
        case .malformed(let what):
            if what.contains("checksum") { world.marks.reach(.snapshotDamaged) }
            world.say { "n\(node.id) refuses a snapshot: \(what)" }
        case .storage(let error):
            // Only the transfer suffers from a lack of space.
            if error.kind == .noSpace { world.marks.reach(.snapshotWithoutSpace) } else { fail(error) }
        }
    }

    func discardSnapshot(_ meta: SnapshotMeta) {
        world.marks.reach(.snapshotDiscarded)
        // The same one may have come twice, and the other be wanted.
        guard let copy = snapshots.received.firstIndex(where: { $0.description.meta == meta }) else { return }
        let received = snapshots.received.remove(at: copy)
        if snapshots.received.contains(received) { return }
        do throws(StorageError) { try store.discard(received) } catch { fail(error) }
    }

    /// Once everything that was given out before is on the disk and in the state.
    func installIfIdle() {
        guard snapshots.toInstall != nil, !snapshots.isInstalling, log.writing == nil, log.batches.isEmpty,
            applying.page.isEmpty, applying.entries.isEmpty
        else { return }
        snapshots.isInstalling = true
        world.plan(.snapshotInstalled(node: Int32(place), life: life), after: 4 * world.syncDuration(place))
    }

    func snapshotInstalled() {
        snapshots.isInstalling = false
        guard let meta = snapshots.toInstall else { return }
        // A hard state may have come meanwhile; it goes first.
        guard log.writing == nil, log.batches.isEmpty else { return installIfIdle() }
        guard let received = snapshots.received.first(where: { $0.description.meta == meta }) else {
            return world.judge.report(Violation(.harness, "node \(node.id) installs \(meta.id), which it never got"))
        }
        if view.last > meta.index { world.marks.reach(.snapshotOverLongerLog) }
        if world.options.faults.contains(.crash), world.driverRandom.chance(1_000) {
            world.marks.reach(.crashedInInstall)
            node.disk.changesUntilFailure = world.driverRandom.below(6)
        }
        let isRotten = rotSnapshot()
        world.judge.installing(meta, on: place)
        do throws(StorageError) { try store.install(received) } catch { return fail(error) }
        if isRotten, files.rotsAfterReads == nil {
            return world.judge.report(
                Violation(.integrity, "node \(node.id) installs snapshot \(meta.id), of which a bit has flipped"))
        }
        if isRotten { (files.rotsAfterReads, node.isDamaged) = (nil, false) }
        finishInstall(meta)
    }

    /// Now and then a bit of the file flips between its check and its install.
    private func rotSnapshot() -> Bool {
        guard world.options.faults.contains(.corruption), !world.isCalm(place), !node.isDamaged,
            world.driverRandom.chance(500), FaultAtlas.maySpoil(place, in: world)
        else { return false }
        node.isDamaged = true
        files.rotsAfterReads = world.driverRandom.below(6)
        return true
    }

    private func finishInstall(_ meta: SnapshotMeta) {
        node.disk.changesUntilFailure = nil
        world.marks.reach(.snapshotInstalled)
        world.say { "n\(node.id) installed snapshot \(meta.id)" }
        world.judge.installed(meta, on: place)
        do throws(StorageError) {
            guard let position = try store.appliedPosition(world.group), position.id == meta.id else {
                throw StorageError(.invariant, "after the install of \(meta.id) another position is applied")
            }
            self.position = position
        } catch {
            return fail(error)
        }
        if let tree = stateTree { world.judge.compareSnapshot(tree, meta, on: place) }
        snapshots.toInstall = nil
        snapshots.received.removeAll { $0.description.meta.index <= meta.index }
        log.cutThrough = nil
        log.unflushed = 0
        give(.snapshotInstalled(meta))
    }
}
