import ByteCoding
import DequeModule
import KeyValue
import Logging
import PeerTransport
import Raft
import RedisServer

/// What clients of this node and, on a leader, those of others want: their writes become entries, their reads share rounds.
extension Consensus {
    // MARK: - Clients' segments

    func routeSegments(at now: MonotonicTime) {
        let isLeader = core.role == .leader
        // Leadership on its way to another node, say, takes nothing more; what waits here follows it there.
        let mayPropose =
            core.acceptsProposals && core.uncommittedBytes < limits.maxUncommittedBytes
        var segments: [Bytes] = []
        var origins: Set<NodeID> = []
        if !isLeader {
            heldForwards.removeAll()
            heldForwardBytes = 0
        } else if mayPropose {
            acceptForwards(into: &segments, from: &origins)
        }
        if isLeader {
            if mayPropose { segments += outbox.takeSends(isLocal: true, at: now).map(\.segment) }
            propose(segments, at: now)
            // Clients there are answered from what that node applies.
            for node in origins { core.step(.commitAwaited(by: node), at: now) }
        } else if let leader = core.leader {
            forward(outbox.takeSends(isLocal: false, at: now), to: leader)
        }
    }

    private func acceptForwards(into segments: inout [Bytes], from origins: inout Set<NodeID>) {
        heldForwardBytes = 0
        while let forwarded = heldForwards.popFirst() {
            guard isWellFormed(forwarded) else { continue }
            let verdict = acceptor.judge(
                origin: forwarded.from, incarnation: forwarded.incarnation, sentIn: forwarded.term,
                previous: forwarded.previous, sequence: forwarded.sequence, leaderTerm: core.term)
            guard verdict == .accept else {
                parts.metrics.refusedForwards.add()
                continue
            }
            segments.append(forwarded.segment)
            origins.insert(forwarded.from)
        }
    }

    /// What enters the log is applied by every node: one that can't be applied must not get in.
    private func isWellFormed(_ forwarded: ForwardedSegment) -> Bool {
        do throws(FormatError) {
            let (origin, _) = try SegmentView.validate(forwarded.segment)
            return origin.node == forwarded.from.rawValue && origin.incarnation == forwarded.incarnation
                && origin.sequence == forwarded.sequence
        } catch {
            parts.logger.error(
                "refused a malformed segment", metadata: ["peer.id": "\(forwarded.from)", "error": "\(error)"])
            return false
        }
    }

    private func propose(_ segments: [Bytes], at now: MonotonicTime) {
        guard !segments.isEmpty else { return }
        let stamp = stamps.next(wallMilliseconds: SystemClock.wallMilliseconds())
        var proposals: [Proposal] = []
        var block: [Bytes] = []
        var bytes = 0
        for segment in segments {
            if !block.isEmpty, bytes + segment.count > limits.maxBlockBytes {
                proposals.append(proposal(of: block, stamp: stamp))
                block.removeAll(keepingCapacity: true)
                bytes = 0
            }
            block.append(segment)
            bytes += segment.count
        }
        proposals.append(proposal(of: block, stamp: stamp))
        parts.metrics.proposedBlocks.add(proposals.count)
        parts.metrics.proposedSegments.add(segments.count)
        core.step(.proposed(proposals), at: now)
    }

    private func proposal(of block: [Bytes], stamp: UInt64) -> Proposal {
        lastProposal += 1
        return Proposal(token: ProposalToken(lastProposal), payload: Block.encode(stamp: stamp, segments: block))
    }

    private func forward(_ sends: [Outbox.Send], to leader: NodeID) {
        guard !sends.isEmpty else { return }
        parts.metrics.forwardedSegments.add(sends.count)
        parts.transport.send(
            sends.map { send in
                .forward(
                    ForwardedSegment(
                        group: parts.group, from: parts.node, to: leader, term: core.term,
                        incarnation: parts.incarnation, previous: send.previous, sequence: send.sequence,
                        segment: send.segment))
            })
    }

    // MARK: - Clients' reads

    func askForReads(at now: MonotonicTime) {
        guard let token = reads.takeToken(hasLeader: core.leader != nil) else { return }
        parts.metrics.readRounds.add()
        core.step(.readIndexRequested(token), at: now)
    }

    func answerReads(at now: MonotonicTime) {
        for waiter in reads.takeReady(applied: core.appliedIndex) { waiter.sink.readsReady(through: waiter.ticket) }
    }
}
