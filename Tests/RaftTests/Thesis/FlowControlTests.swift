import ByteCoding
import Raft
import Testing

@Suite("Pipelining and flow control (Raft thesis, 10.2.1)")
struct FlowControlTests {
    /// A leader of three whose no-op is acknowledged by node 2.
    private func leader(_ configure: (inout Configuration) -> Void = { _ in }) -> TestNode {
        var node = TestNode.leader {
            plain(&$0)
            configure(&$0)
        }
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        _ = node.said()
        return node
    }

    private func appends(_ node: inout TestNode, to peer: NodeID = 2) -> [Message] {
        node.takeMessages().filter { $0.isAppend && $0.to == peer }
    }

    @Test func `probing sends one append and waits`() {
        var node = TestNode.leader(configure: plain)
        #expect(node.status.peers[1].mode == .probe)
        for _ in 0..<5 { node.propose("x") }
        #expect(appends(&node, to: 3) == [])
    }

    @Test func `an answered heartbeat lets one more probe out, without entries`() {
        var node = TestNode.leader(configure: plain)
        node.propose("x")
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        #expect(appends(&node, to: 3) == [], "the probe has only just left")
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        let probes = appends(&node, to: 3)
        #expect(probes.map(\.previous) == [.zero])
        #expect(probes.map(\.entries) == [[]])
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        #expect(appends(&node, to: 3) == [], "one for each heartbeat of the timer")
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        #expect(appends(&node, to: 3).count == 1)
    }

    @Test func `an accepted probe turns to replicating, with everything that is missing`() {
        var node = TestNode.leader(configure: plain)
        node.propose("a", "b")
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        #expect(node.status.peers[1].mode == .replicate)
        #expect(appends(&node, to: 3).map(\.entries) == [[entry(1, 2, "a"), entry(1, 3, "b")]])
    }

    @Test func `replicating sends on without waiting`() {
        var node = leader()
        for count in 0..<5 { node.propose(Bytes("\(count)")) }
        let sent = appends(&node)
        #expect(sent.map { $0.previous!.index } == [1, 2, 3, 4, 5])
        #expect(node.status.peers[0].nextIndex == 7)
        #expect(node.status.peers[0].inflightMessages == 5)
    }

    @Test func `what was proposed between two drains leaves as one message for each follower`() {
        var node = leader()
        node.give((0..<10).map { .proposed([Proposal(token: ProposalToken($0), payload: "x")]) })
        let sent = appends(&node)
        #expect(sent.count == 1)
        #expect(sent.first?.entries.count == 10)
    }

    @Test func `messages are cut to size, but one entry always goes`() {
        var node = leader { $0.maxAppendBytes = 200 }
        let big = Bytes([UInt8](repeating: 7, count: 500))
        node.propose("a", "b", big, "c", "d", "e", "f")
        #expect(appends(&node).map { $0.entries.count } == [2, 1, 3, 1])
    }

    @Test func `a full window by count stops`() {
        var node = leader { $0.maxInflightMessages = 3 }
        for _ in 0..<10 { node.propose("x") }
        #expect(appends(&node).count == 3)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        // One message is acknowledged: one leaves, with everything that has queued up.
        let next = appends(&node).filter { !$0.entries.isEmpty }
        #expect(next.map { $0.entries.count } == [7])
    }

    @Test func `a full window by bytes stops, softly`() {
        var node = leader {
            $0.maxInflightBytes = 1000
            $0.maxAppendBytes = 1
        }
        let payload = Bytes([UInt8](repeating: 7, count: 400))
        for _ in 0..<10 { node.propose(payload) }
        #expect(appends(&node).count == 3, "464 + 464 + 464 >= 1000")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 3))
        #expect(appends(&node).filter { !$0.entries.isEmpty }.count == 2)
    }

    @Test func `a full window lets one empty append out for each heartbeat, so that a loss is noticed`() {
        var node = leader { $0.maxInflightMessages = 2 }
        for _ in 0..<5 { node.propose("x") }
        #expect(appends(&node).count == 2)
        // Both are lost.
        node.wait(.milliseconds(50))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 0))
        let nudges = appends(&node)
        #expect(nudges.map(\.previous) == [id(1, 3)])
        #expect(nudges.map(\.entries) == [[]])
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 0))
        #expect(appends(&node) == [])
        // The rejection brings the follower back to probing behind what is certain.
        node.receive(from: 2, term: 1, .appendRejected(previous: 3, hint: id(1, 1)))
        let probe = appends(&node)
        #expect(probe.map(\.previous) == [id(1, 1)])
        #expect(probe.map { $0.entries.count } == [5])
        #expect(node.status.peers[0].mode == .probe)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 6))
        #expect(node.status.peers[0].mode == .replicate)
    }

    @Test func `a group comes back from lost appends by heartbeats alone`() {
        var cluster = Cluster(3, configure: { $0.maxInflightMessages = 3 })
        cluster.elect(1)
        cluster.loses = { $0.to == 3 && $0.isAppend }
        for count in 0..<10 { cluster.propose(1, Bytes("\(count)")) }
        cluster.settle()
        #expect(cluster[3].core.lastIndex == 1)
        cluster.loses = { _ in false }
        cluster.run(for: .milliseconds(120))
        #expect(cluster[3].core.appliedIndex == 11)
        #expect(cluster[1].status.peers[1].mode == .replicate)
    }

    @Test func `a follower that was unreachable and holds everything returns from probing by a heartbeat`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.give(1, .unreachable(3))
        cluster.settle()
        #expect(cluster[1].status.peers[1].mode == .probe)
        cluster.run(for: .milliseconds(60))
        #expect(cluster[1].status.peers[1].mode == .replicate)
    }

    @Test func `a broken link frees the window and starts again behind the last match`() {
        var node = leader { $0.maxInflightMessages = 2 }
        for _ in 0..<5 { node.propose("x") }
        _ = node.takeMessages()
        node.give(.unreachable(2))
        let peer = node.status.peers[0]
        #expect(peer.mode == .probe)
        #expect(peer.nextIndex == 2)
        #expect(peer.inflightMessages == 0)
        #expect(appends(&node).map { $0.entries.count } == [5])
    }

    @Test func `acknowledgements free the window up to their index, whichever come`() {
        var node = leader()
        for _ in 0..<6 { node.propose("x") }
        node.receive(from: 2, term: 1, .appendAccepted(matched: 4))
        #expect(node.status.peers[0].inflightMessages == 3)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 3))
        #expect(node.status.peers[0].inflightMessages == 3)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 7))
        #expect(node.status.peers[0].inflightMessages == 0)
    }
}

@Suite("Entries that are not in memory any more")
struct FetchTests {
    /// A leader with ten applied entries, none of which stays in memory, and node 3 far behind.
    private func leader() -> TestNode {
        var node = TestNode.leader {
            plain(&$0)
            $0.entryCacheBytes = 0
            $0.maxAppendBytes = 200
        }
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        for count in 2...10 as ClosedRange<UInt64> {
            node.propose(Bytes("\(count)"))
            node.receive(from: 2, term: 1, .appendAccepted(matched: LogIndex(count)))
        }
        node.fetchesAtOnce = false
        _ = node.takeMessages()
        return node
    }

    @Test func `the store is asked once, and its answer is sent`() {
        var node = leader()
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        let request = FetchRequest(group: group, follower: 3, from: 2, through: 10, maxBytes: 200)
        #expect(node.openFetches == [request])
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        node.propose("11")
        #expect(node.openFetches == [request])
        _ = node.takeMessages()
        node.answerFetches()
        let sent = node.takeMessages().filter { $0.to == 3 }
        #expect(sent.first?.previous == id(1, 1))
        #expect(sent.first?.entries.first == entry(1, 2, "2"))
    }

    @Test func `a follower far behind is brought up through the store`() {
        var cluster = Cluster(3) {
            $0.entryCacheBytes = 0
            $0.maxAppendBytes = 200
            $0.maxInflightMessages = 2
        }
        cluster.elect(1)
        cluster.isolate(3)
        for count in 0..<40 {
            cluster.propose(1, Bytes("\(count)"))
            cluster.settle()
        }
        #expect(cluster[3].core.lastIndex == 1)
        cluster.heal()
        cluster.run(for: .milliseconds(200))
        #expect(cluster.state(of: 3) == (0..<40).map { "\($0)" })
    }

    @Test func `an answer nobody waits for is ignored`() {
        var node = leader()
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        _ = node.takeMessages()
        node.receive(from: 3, term: 1, .appendAccepted(matched: 10))
        node.answerFetches()
        #expect(node.takeMessages().filter { !$0.entries.isEmpty } == [])
        #expect(node.status.peers[1].nextIndex == 11)
        let stranger = FetchRequest(group: group, follower: 2, from: 1, through: 1, maxBytes: 1)
        node.give(.fetched(stranger, entries: [entry(1, 1)]))
        #expect(node.takeMessages() == [])
    }

    @Test func `entries that were overwritten since they were asked for are not sent`() {
        var node = leader()
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        let request = node.openFetches[0]
        _ = node.takeMessages()
        node.give(.fetched(request, entries: [entry(7, 2, "other")]))
        #expect(node.takeMessages().filter { !$0.entries.isEmpty } == [])
        #expect(node.violation == nil)
    }

    @Test func `nothing that is not applied or not durable leaves the memory`() {
        var node = TestNode.leader(configure: { $0.entryCacheBytes = 0 })
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        node.appliesAtOnce = false
        node.propose("a")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        #expect(node.openFetches == [])
        #expect(node.takeMessages().contains { $0.to == 3 && $0.entries == [entry(1, 2, "a")] })
    }

    @Test func `a follower that needs what is cut off is sent a snapshot, and gets nothing but heartbeats`() {
        var node = leader()
        node.compact(through: 5)
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        #expect(node.status.peers[1].mode == .snapshot)
        #expect(node.takeSnapshotRequests() == [3])
        _ = node.takeMessages()
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        node.propose("x")
        #expect(node.takeMessages().filter { $0.to == 3 && !$0.isHeartbeat } == [])
        // It got there by other means.
        node.receive(from: 3, term: 1, .appendAccepted(matched: 10))
        #expect(node.status.peers[1].mode == .replicate)
    }
}
