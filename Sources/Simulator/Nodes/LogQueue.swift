import DequeModule
import Raft
import RaftStorage

/// What the log writer has to do.
struct LogQueue {
    var batches: [PersistBatch] = []
    /// When those were given out that are not on the disk, by the node's clock.
    var given: Deque<MonotonicTime> = []
    /// Since when this leader's disk has hung for too long although others could go on.
    var stalledSince: MonotonicTime?
    /// How many batches the write under way holds, its last ticket, and whether the disk had anything to do.
    var writing: (count: Int, ticket: PersistTicket, isSynced: Bool)?
    /// Of the entries in the write under way.
    var writingBytes = 0
    /// The log is to be cut through here.
    var cutThrough: EntryID?
    /// Entries applied since the last flush began.
    var unflushed = 0
    var isFlushing = false
}

extension NodeProcess {
    // MARK: Log writer

    func push(_ batch: PersistBatch) {
        if batch.truncateFrom != nil { world.marks.reach(.conflictTruncated) }
        log.batches.append(batch)
        log.given.append(localTime)
        writeIfIdle()
    }

    /// Everything that is queued becomes one synced write.
    private func writeIfIdle() {
        guard log.writing == nil, !log.batches.isEmpty else { return }
        let count = world.buggify.fires(.writeOneBatch) ? 1 : log.batches.count
        let batches = Array(log.batches.prefix(count))
        log.batches.removeFirst(count)
        node.disk.beginSync()
        if world.diskRandom.chance(world.isCalm(place) ? 0 : world.options.disk.syncFailure) {
            world.marks.reach(.syncFailed)
            node.disk.failsNextSync = true
        }
        do throws(StorageError) { try store.write(batches) } catch { return fail(error) }
        log.writing = (count, batches[count - 1].ticket, node.disk.hasBegunSync())
        log.writingBytes = batches.reduce(0) { $0 + $1.entryBytes }
        world.plan(.logSynced(node: Int32(place), life: life), after: world.syncDuration(place))
    }

    func logSynced() {
        guard let (count, ticket, isSynced) = log.writing else { return }
        node.disk.finishSync()
        world.judge.durable(place, batches: count, isSynced: isSynced)
        log.given.removeFirst(count)
        log.writing = nil
        log.writingBytes = 0
        cutIfWanted()
        writeIfIdle()
        installIfIdle()
        give(.persisted(ticket))
    }

    /// A leader whose disk hangs leaves with its next heartbeat, if a majority without it is ahead.
    func judgeStall(after old: CoreView) {
        let (now, core) = (localTime, world.options.core)
        guard let oldest = log.given.first, now.since(oldest) > .nanoseconds(Int64(core.diskStallLimit)),
            view.leading != nil, view.leading == old.leading, isOutrun
        else {
            log.stalledSince = nil
            return
        }
        let since = log.stalledSince ?? now
        log.stalledSince = since
        world.judge.stalls(place, for: now.since(since), limit: .nanoseconds(Int64(core.heartbeatInterval)))
    }

    private var isOutrun: Bool {
        let status = core.status
        let ahead = status.peers.filter { $0.matchIndex > status.durableIndex }.map(\.node)
        // What a node says that may not vote yet does not count.
        return status.membership.isDecided(
            by: ahead.filter { world.place(of: $0).map { !world.nodes[$0].isSuspect } ?? false })
    }

    private func cutIfWanted() {
        guard log.writing == nil, let id = log.cutThrough else { return }
        log.cutThrough = nil
        do throws(StorageError) {
            guard try store.truncateLog(world.group, through: id) else { return }
        } catch {
            return fail(error)
        }
        world.marks.reach(.logCut)
        world.judge.cut(place, through: id)
        give(.compacted(id))
    }

    // MARK: Maintenance

    func noteApplied(_ count: Int) {
        log.unflushed += count
        let isDue = log.unflushed >= world.options.shell.flushEvery || world.buggify.fires(.flushEarly, chance: 50)
        guard isDue, !log.isFlushing else { return }
        log.isFlushing = true
        log.unflushed = 0
        world.plan(.stateFlushed(node: Int32(place), life: life), after: 3 * world.syncDuration(place))
    }

    func stateFlushed() {
        log.isFlushing = false
        let durable: LogIndex
        do throws(StorageError) {
            try store.flushState()
            durable = try store.durableApplied(world.group).index
        } catch {
            return fail(error)
        }
        world.judge.flushed(place, through: durable)
        // What no member's log needs any more, but for some slack.
        let possible = min(durable, view.applied, view.truncatable).rawValue
        let slack = UInt64(world.options.shell.slackEntries)
        if possible > slack {
            let index = LogIndex(possible - slack)
            log.cutThrough = core.term(at: index).map { EntryID(term: $0, index: index) }
            cutIfWanted()
        }
    }
}

extension PersistBatch {
    var entryBytes: Int { entries.reduce(0) { $0 + $1.footprintBytes } }
}
