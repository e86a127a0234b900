import PeerTransport
import Raft
import RaftStorage
import Testing

@testable import RoostNode

@Suite("Member book: who is let in, and where everybody is dialled")
struct MemberBookTests {
    private static let founders = [NodeID(1), NodeID(2), NodeID(3)]

    private func book(
        learners: [NodeID] = [], members: [NodeID: ClusterDirectory.Member] = [:], configured: [NodeID: HostPort] = [:],
        introduced: [NodeID: ClusterDirectory.Member] = [:]
    ) throws -> MemberBook {
        let membership = Membership(voters: Self.founders, learners: learners)
        var directory = ClusterDirectory(founders: Self.founders)
        for (node, member) in members.sorted(by: { $0.key < $1.key }) {
            var update = DirectoryUpdate()
            update.set(member, for: node)
            directory = try directory.applying(
                MembershipChange([.addLearner(node)], context: update.encode()), resulting: membership)
        }
        return MemberBook(
            node: NodeID(1), cluster: ClusterPosition(membership: membership, directory: directory),
            configured: configured, introduced: introduced, own: .init(peer: "self:1"))
    }

    private func identity(_ node: UInt64, peer: String, incarnation: UInt64 = 7) -> PeerIdentity {
        PeerIdentity(
            clusterID: 1, clusterName: "c", node: NodeID(node), incarnation: incarnation, hasData: true,
            advertisedRedis: "r:\(node)", advertisedPeer: peer, advertisedHTTP: "")
    }

    @Test func `an id that was used and is no member's is removed for ever, one above it is not known yet`() throws {
        let book = try book(members: [NodeID(6): .init(peer: "gone:1")])
        #expect(book.standing(of: NodeID(2)) == .member)
        for id in [4, 5, 6] as [UInt64] { #expect(book.standing(of: NodeID(id)) == .removed, "\(id)") }
        #expect(book.standing(of: NodeID(7)) == .unheardOf)
    }

    @Test func `configuration wins over the handshake, the handshake over the log`() throws {
        let book = try book(
            learners: [NodeID(4)], members: [NodeID(4): .init(peer: "log:4", incarnation: 44)],
            configured: [NodeID(2): HostPort(host: "proxy", port: 2)])
        #expect(book.dialTable() == [NodeID(2): .init(host: "proxy", port: 2), NodeID(4): .init(host: "log", port: 4)])
        #expect(!book.met(identity(2, peer: "direct:2")), "where it is dialled stays")
        #expect(book.met(identity(4, peer: "moved:4")))
        #expect(!book.met(identity(4, peer: "moved:4")))
        #expect(book.met(identity(3, peer: "told:3")))
        #expect(
            book.dialTable() == [
                NodeID(2): .init(host: "proxy", port: 2), NodeID(3): .init(host: "told", port: 3),
                NodeID(4): .init(host: "moved", port: 4),
            ])
        #expect(book.contact(of: NodeID(2)).redis == "r:2")
        #expect(book.incarnation(of: NodeID(4)) == 44)
        #expect(book.incarnation(of: NodeID(2)) == nil)
    }

    @Test func `a stranger from a later configuration is dialled back, and forgotten once it is removed`() throws {
        let book = try book()
        #expect(book.met(identity(5, peer: "new:5")))
        #expect(book.dialTable()[NodeID(5)] == .init(host: "new", port: 5))
        var directory = book.directory
        for step in [MembershipChange.Step.addLearner(NodeID(5)), .remove(NodeID(5))] {
            directory = try directory.applying(MembershipChange([step]), resulting: book.membership)
        }
        book.update(book.membership, directory)
        #expect(book.dialTable()[NodeID(5)] == nil)
    }

    @Test func `those who were removed are dialled until they are bidden farewell`() throws {
        let members: [NodeID: ClusterDirectory.Member] = [NodeID(4): .init(peer: "log:4")]
        let book = try book(learners: [NodeID(4)], members: members)
        let all = book.dialTable()
        #expect(all[NodeID(4)] == .init(host: "log", port: 4))
        let change = MembershipChange([.remove(NodeID(4))])
        let membership = Membership(voters: Self.founders)
        book.update(membership, try book.directory.applying(change, resulting: membership))
        #expect(book.standing(of: NodeID(4)) == .removed)
        #expect(book.dialTable() == all)
        #expect(book.sayFarewell())
        #expect(book.dialTable() == [:])
        #expect(!book.sayFarewell(), "nobody is left to go")
    }

    @Test func `a change takes back that removals are confirmed`() throws {
        let book = try book()
        #expect(!book.confirmsRemovals)
        book.confirmsRemovals = true
        book.update(book.membership, book.directory)
        #expect(!book.confirmsRemovals)
    }

    @Test func `not every stranger is remembered`() throws {
        let book = try book()
        for id in 10..<100 as Range<UInt64> { _ = book.met(identity(id, peer: "x:\(id)")) }
        #expect(book.dialTable().count == 16)
    }

    @Test(arguments: ["", "0.0.0.0:7400", "[::]:7400", "host:0", "host", "::1:5"])
    func `an address that nobody can dial is none`(address: String) throws {
        let book = try book()
        _ = book.met(identity(2, peer: address))
        #expect(book.dialTable().isEmpty)
    }
}
