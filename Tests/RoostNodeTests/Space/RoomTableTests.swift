import PeerTransport
import Raft
import Testing

@testable import RoostNode

@Suite("Room of the members: which writes a leader takes, and to whom it hands over")
struct RoomTableTests {
    private let three = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)])

    private func room(_ node: UInt64, _ level: Room.Level, free: UInt64 = 7) -> Room {
        Room(
            node: NodeID(node), level: level, freeBytes: free, capacityBytes: 100, minFreeBytes: 10,
            criticalFreeBytes: 2)
    }

    /// Node 1 leads; `levels` are those of nodes 1, 2, 3; nil: it has said nothing.
    private func table(_ levels: [Room.Level?]) -> RoomTable {
        var table = RoomTable()
        if let own = levels[0] { table.measured(room(1, own)) }
        for (index, level) in levels.enumerated().dropFirst() {
            if let level { _ = table.heard(room(UInt64(index + 1), level)) }
        }
        return table
    }

    @Test(
        arguments: [
            ([.ample, .ample, .ample], [2, 3], .all),
            // One of three falls behind and holds nobody up.
            ([.ample, .low, .ample], [2, 3], .all), ([.ample, .full, .ample], [2, 3], .all),
            // Unless it is needed.
            ([.ample, .low, .ample], [2], .freeing), ([.ample, .full, .ample], [2], .none),
            ([.ample, .low, .low], [2, 3], .freeing), ([.ample, .low, .full], [2, 3], .freeing),
            ([.ample, .full, .full], [2, 3], .none),
            // The leader itself writes every entry.
            ([.low, .ample, .ample], [2, 3], .freeing), ([.full, .ample, .ample], [2, 3], .none),
            ([.low, .low, .low], [2, 3], .freeing),
            // Who has said nothing has room; without a majority nothing is decided.
            ([.ample, nil, nil], [2, 3], .all), ([.ample, .low, .low], [], .all), ([.low, nil, nil], [], .freeing),
        ] as [([Room.Level?], [UInt64], RoomVerdict.Admission)])
    func `growth needs a majority with room, deletions one that is not full`(
        levels: [Room.Level?], active: [UInt64], admission: RoomVerdict.Admission
    ) throws {
        let verdict = table(levels).verdict(three, active: active.map { NodeID($0) }, term: Term(4))
        #expect(verdict?.admission == admission)
        #expect(verdict?.term == Term(4))
    }

    @Test func `nothing is said before the own disk was looked at`() {
        #expect(table([nil, .low, .low]).verdict(three, active: [NodeID(2), NodeID(3)], term: Term(1)) == nil)
    }

    @Test func `in a joint configuration both majorities need room, learners do not count`() {
        let joint = Membership(
            voters: [NodeID(1), NodeID(2), NodeID(3)], learners: [NodeID(6)],
            outgoing: [NodeID(1), NodeID(4), NodeID(5)])
        var table = table([.ample, .ample, .ample])
        let active = [2, 3, 4, 5, 6].map { NodeID($0) }
        for node in [4, 5, 6] as [UInt64] { _ = table.heard(room(node, node == 6 ? .full : .ample)) }
        #expect(table.verdict(joint, active: active, term: Term(1))?.admission == .all)
        for node in [4, 5] as [UInt64] { _ = table.heard(room(node, .low)) }
        #expect(table.verdict(joint, active: active, term: Term(1))?.admission == .freeing)
    }

    @Test func `the verdict shows the disk that is worst off`() {
        var table = table([.ample, .low, nil])
        _ = table.heard(room(3, .low, free: 3))
        let verdict = table.verdict(three, active: [NodeID(2), NodeID(3)], term: Term(1))
        #expect(verdict?.tightest == room(3, .low, free: 3))
        // Somebody who was not heard lately is not blamed.
        #expect(table.verdict(three, active: [NodeID(2)], term: Term(1))?.tightest == room(2, .low))
    }

    @Test func `only a level that differs is news, and who left is forgotten`() {
        var table = RoomTable()
        let isNews = [
            table.heard(room(2, .ample)), table.heard(room(2, .ample, free: 1)), table.heard(room(2, .low)),
        ]
        #expect(isNews == [true, false, true])
        table.keepOnly([NodeID(1), NodeID(3)])
        let isNewsAgain = table.heard(room(2, .low))
        #expect(isNewsAgain)
    }

    @Test func `a leader that is short hands over to the voter with room whose log is longest`() {
        let active = [(node: NodeID(2), match: LogIndex(5)), (NodeID(3), LogIndex(9))]
        #expect(table([.low, .ample, .ample]).heir(three, active: active) == NodeID(3))
        #expect(table([.full, .ample, .low]).heir(three, active: active) == NodeID(2))
        #expect(table([.low, .low, .full]).heir(three, active: active) == nil)
        #expect(table([.ample, .ample, .ample]).heir(three, active: active) == nil)
        // Who has not said that it has room gets nothing, nor does who is away or no voter.
        #expect(table([.low, nil, .low]).heir(three, active: active) == nil)
        #expect(table([.low, .ample, .ample]).heir(three, active: [active[0]]) == NodeID(2))
        let two = Membership(voters: [NodeID(1), NodeID(2)], learners: [NodeID(3)])
        #expect(table([.low, .low, .ample]).heir(two, active: active) == nil)
    }
}
