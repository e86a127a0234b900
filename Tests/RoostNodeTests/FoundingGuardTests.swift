import Raft
import Testing

@testable import RoostNode

@Suite("FoundingGuard: whether a founder with an empty directory may vote")
struct FoundingGuardTests {
    private let deadline = MonotonicTime(nanoseconds: 1_000)
    private let before = MonotonicTime(nanoseconds: 999)

    private func founding() -> FoundingGuard { FoundingGuard(others: [NodeID(2), NodeID(3)], deadline: deadline) }

    @Test func `it waits until it has met everybody`() {
        var founding = founding()
        #expect(founding.decision(at: before) == .wait(until: deadline))
        founding.met(NodeID(2), hasData: false)
        #expect(founding.decision(at: before) == .wait(until: deadline))
        founding.met(NodeID(3), hasData: false)
        #expect(founding.decision(at: before) == .vote)
    }

    @Test func `founders that do not come are taken for not started`() {
        var founding = founding()
        founding.met(NodeID(2), hasData: false)
        #expect(founding.decision(at: deadline) == .vote)
    }

    @Test func `one founder with data is enough to catch up first, however late`() {
        var founding = founding()
        founding.met(NodeID(2), hasData: true)
        #expect(founding.decision(at: before) == .catchUpFirst)
        founding.met(NodeID(3), hasData: false)
        #expect(founding.decision(at: deadline) == .catchUpFirst)
    }
}
