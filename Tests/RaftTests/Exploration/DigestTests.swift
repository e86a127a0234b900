import Testing

@testable import Raft

@Suite("Digest of a core")
struct DigestTests {
    private func fields(of value: Any) -> [String] { Mirror(reflecting: value).children.compactMap(\.label) }

    /// A new field of the core must be thought about: does it matter, is it constant, does it follow from others?
    @Test func `every field of the core is in the digest, or known not to matter`() {
        let core = TestCore.follower()
        #expect(fields(of: core).sorted() == (RaftCore.hashedFields + RaftCore.unhashedFields).sorted())
        #expect(fields(of: core.persistence).sorted() == PersistQueue.hashedFields.sorted())
    }
}

private enum TestCore {
    static func follower() -> RaftCore {
        RaftCore(
            configuration: Configuration(group: group, node: 1, seed: 0),
            restored: RestoredState(membership: Membership(voters: voters(3))), now: .zero)
    }
}
