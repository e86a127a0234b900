import ByteCoding
import Raft
import Testing

@Suite("Leader election (Raft paper, 5.2)")
struct ElectionTests {
    @Test func `three nodes elect one leader and replicate`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        #expect(cluster.leaders == [1])
        cluster.propose(1, "a")
        cluster.settle()
        for node in cluster.nodes {
            #expect(node.core.commitIndex == 2)
            #expect(cluster.state(of: node.id) == ["a"])
        }
    }
}
