import DequeModule
import KeyValue
import Logging
import PeerTransport
import Raft
import RaftStorage

/// The core's effects: messages to the transport, and what is written and applied, here and now or by other threads.
extension Consensus {
    /// Up to this many bytes of entries are applied by whoever has the turn: a segment that an event loop waits for
    /// (`CommandBackend.submit`), with what is around it.
    private static let maxBytesAppliedHere = 33 << 10
    /// Up to this many where a command reads: each may have to ask the disk for its key, however few its bytes are.
    private static let maxReadingBytesAppliedHere = 4 << 10
    /// Up to this many bytes of entries a follower writes in its turn: about a lone command. With more clients at work the
    /// next message is better read meanwhile.
    private static let maxBytesWrittenHere = 1 << 10
    /// As long as the disk takes no longer than this, an event loop may wait for it: its other clients wait meanwhile.
    /// After a longer wait other threads do, until one is short again.
    private static let maxWaitElsewhere = Duration.milliseconds(1)

    func perform(_ effects: [Effect], at now: MonotonicTime) {
        handOut(effects)
        // What is written here may commit, and so be applied.
        while !parts.failure.isSet {
            if let batch = toWrite.popFirst() {
                persistHere(batch, at: now)
            } else if let entries = toApply.popFirst() {
                apply(entries, at: now)
            } else {
                return
            }
        }
    }

    /// Messages leave before anything is written: the others' disks work beside this one.
    private func handOut(_ effects: [Effect]) {
        var outgoing: [PeerMessage] = []
        for effect in effects {
            switch effect {
            case .send(let message): outgoing.append(.raft(message))
            case .persist(let batch): toWrite.append(batch)
            case .apply(let entries): toApply.append(entries)
            case .fetch(let request): fetch(request)
            case .readReady(let token, let index): reads.ready(token, at: index)
            case .readFailed(let token): reads.failed(token)
            case .roleChanged(let change): roleChanged(change)
            case .sendSnapshot(let node): ship(to: node)
            case .installSnapshot(let meta):
                // It comes after everything else.
                while let batch = toWrite.popFirst() { leaveToLogWriter(batch) }
                while let entries = toApply.popFirst() { parts.applier.push(.entries(entries)) }
                isInstalling = true
                install(meta)
            case .discardSnapshot(let meta): parts.snapshots.discard(meta)
            case .membershipChanged(let membership): membershipChanged(membership)
            case .membershipSettled(let index): membershipSettled(through: index)
            case .learnerCaughtUp(let node):
                parts.logger.notice("a learner has caught up", metadata: ["peer.id": "\(node)"])
                desk.addPromotion(of: node)
            case .transferEnded(let outcome): transferEnded(outcome)
            case .peerMisbehaved(let node, let what):
                parts.logger.error("peer misbehaved", metadata: ["peer.id": "\(node)", "error": "\(what)"])
            case .violated(let violation): return parts.failure.fail(NodeFailure(violation: violation))
            case .proposalRefused(let token, let refusal): proposalRefused(token, refusal)
            case .proposalResolved(let token, let outcome): desk.resolved(token, outcome)
            // Clients' outcomes come with the apply stream (`Outbox`).
            case .proposalAccepted: break
            }
        }
        if !outgoing.isEmpty { parts.transport.send(outgoing) }
    }

    private func proposalRefused(_ token: ProposalToken, _ refusal: ProposalRefusal) {
        guard !MembershipDesk.owns(token) else { return desk.refused(token, refusal) }
        // Clients' segments are proposed only while this node leads and has room, in the same step.
        parts.failure.fail(
            NodeFailure(
                violation: InvariantViolation(rule: "proposal-refused", detail: "\(refusal) of \(token.rawValue)")))
    }

    var decidesAlone: Bool { core.membership.isAlone(parts.node) }

    var isDiskQuick: Bool { max(lastWriteTime, lastApplyTime) <= Self.maxWaitElsewhere }

    /// Writes a batch now if that saves a way to the log writer and back, else leaves it to that thread.
    ///
    /// A node that decides alone has nothing else to do while its disk works: nobody is to be heard or answered
    /// meanwhile, and what clients send waits in the inbox for the next write. A follower of a leader with one client has
    /// little else to do: what comes meanwhile shares the next write. A leader must hear its followers while it writes.
    private func persistHere(_ batch: PersistBatch, at now: MonotonicTime) {
        let mayWrite = decidesAlone ? mayWriteAlone(batch) : mayWriteAsFollower(batch)
        guard mayWrite, !isInstalling, lastQueued <= lastPersisted else { return leaveToLogWriter(batch) }
        do throws(StorageError) {
            let start = SystemClock.monotonic()
            try parts.store.write([batch])
            lastWriteTime = SystemClock.monotonic().since(start)
            parts.metrics.logSync.record(lastWriteTime)
        } catch {
            return parts.failure.fail(NodeFailure(storage: error))
        }
        core.step(.persisted(batch.ticket), at: now)
        handOut(core.drainEffects())
        Failpoint.logAfterReport.reach()
    }

    /// Others may have brought more than what the thread that takes this turn is willing to wait for.
    private func mayWriteAlone(_ batch: PersistBatch) -> Bool {
        switch patience {
        case .none: false
        case .brief: Self.bytes(of: batch.entries) <= Self.maxBytesAppliedHere
        case .unlimited: true
        }
    }

    private func mayWriteAsFollower(_ batch: PersistBatch) -> Bool {
        core.role == .follower && isDiskQuick && Self.bytes(of: batch.entries) <= Self.maxBytesWrittenHere
    }

    private static func bytes(of entries: [Entry]) -> Int { entries.reduce(0) { $0 + $1.footprintBytes } }

    private func leaveToLogWriter(_ batch: PersistBatch) {
        lastQueued = batch.ticket
        parts.logWriter.push(.persist(batch))
    }

    /// Applies a few entries now: the way to the applier and back would take longer. Many are applied while the next
    /// batch is written.
    ///
    /// The core must have heard of everything before: what the applier reports may still wait in the inbox.
    private func apply(_ entries: [Entry], at now: MonotonicTime) {
        // While the log writer waits for the disk, RocksDB has every other write wait behind it: no turn may.
        guard patience > .none, !isInstalling, lastQueued <= lastPersisted, decidesAlone || isDiskQuick,
            parts.applier.isIdle, core.appliedIndex.next == entries.first?.index, areQuicklyApplied(entries)
        else { return parts.applier.push(.entries(entries)) }
        do throws(NodeFailure) {
            // The store lets writers wait when it can't flush fast enough: `take` notes how long.
            for notice in try parts.applier.applyHere(entries) { take(notice, at: now) }
        } catch {
            return parts.failure.fail(error)
        }
        handOut(core.drainEffects())
    }

    private func areQuicklyApplied(_ entries: [Entry]) -> Bool {
        let bytes = Self.bytes(of: entries)
        if bytes <= Self.maxReadingBytesAppliedHere { return true }
        return bytes <= Self.maxBytesAppliedHere && !entries.contains { StateMachine.reads($0) }
    }

    private func fetch(_ request: FetchRequest) {
        openFetches.insert(request)
        let (store, failure, inbox) = (parts.store, parts.failure, parts.inbox)
        parts.pool.run {
            do throws(StorageError) {
                inbox.push(.fetched(request, try store.entries(request)))
            } catch {
                failure.fail(NodeFailure(storage: error))
            }
        }
    }

    func roleChanged(_ change: RoleChange) {
        isBoardStale = true
        lastPublished = .zero
        isRoomReportDue = true
        parts.metrics.leaderChanges.add()
        parts.logger.notice(
            "role changed",
            metadata: [
                "raft.role": "\(change.role.rawValue)", "raft.term": "\(change.term)",
                "raft.leader": "\(change.leader.map { "\($0)" } ?? "none")",
            ])
        beginToLeaveIfRemoved()
    }
}
