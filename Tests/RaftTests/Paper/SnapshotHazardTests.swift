import ByteCoding
import Raft
import Testing

/// Snapshots are made, sent and installed beside everything else: what happens meanwhile must not spoil them.
@Suite("What happens while a snapshot is on its way (Raft paper, 7)")
struct SnapshotHazardTests {
    /// The sender was deposed, and its state grew, between the moment it was asked and the moment it looked.
    @Test func `an entry of a later term than the sender's takes the receiver to that term`() {
        var node = TestNode(2)
        node.follow(1, term: 3)
        let meta = SnapshotMeta(id: id(4, 5), membership: Membership(voters: [1, 2, 3]))
        node.receive(TestSnapshot(meta: meta, applied: entries(terms: [1, 1, 1, 4, 4])), from: 1, term: 3)
        #expect(node.core.term == 4 && node.disk.truncated == id(4, 5))
        // The deposed leader goes on with its own end of the log.
        node.receive(
            from: 1, term: 3,
            .appendRequest(previous: id(1, 3), entries: entries(terms: [3, 3, 3], after: 3), commit: 3))
        #expect(node.violation == nil)
        let again = TestNode(2, restored: node.disk.restored(applied: 5), disk: node.disk)
        #expect(again.violation == nil)
    }

    /// More is written during one snapshot than the log would keep for a follower that is behind.
    @Test func `the log is kept for whom a snapshot is on its way to, so that the next one is not in vain too`() {
        var group = Cluster(3) {
            $0.maxRetainedEntries = 20
            $0.maxUncommittedBytes = 1 << 30
        }
        group.elect(1)
        group.isolate(3)
        func write(_ count: Int) {
            for _ in 0..<count {
                group.propose(1, "x")
                group.settle(between: [1, 2])
            }
            for _ in 0..<2 {
                group.pass(.milliseconds(50))
                group.settle(between: [1, 2])
            }
            let cut = min(group[1].core.truncatableIndex, group[1].core.appliedIndex)
            if cut > group[1].disk.truncated.index { group.with(1) { $0.compact(through: cut) } }
        }
        write(50)
        group.dropAll()
        group.heal()
        group.deliversSnapshots = false
        group.run(for: .milliseconds(250))
        var sent = 0
        while !group.snapshots.isEmpty, sent < 10 {
            sent += 1
            write(30)
            group.deliverSnapshot(0)
            for _ in 0..<6 {
                group.pass(.milliseconds(50))
                group.settle()
            }
        }
        #expect((1...2).contains(sent))
        #expect(group[3].core.lastIndex == group[1].core.lastIndex)
    }
}
