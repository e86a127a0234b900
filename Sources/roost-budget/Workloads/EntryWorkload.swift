import ByteCoding
import KeyValue

/// A leader that replicates blocks to the one follower that makes its majority.
struct EntryWorkload {
    private static let commandsPerBlock = 64

    private let leader: Member
    private let follower: Member
    private let segment: Bytes

    init() throws {
        leader = try Member(1, of: [1, 2])
        follower = try Member(2, of: [1, 2])
        var writer = SegmentWriter()
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: Sample.valueBytes)
        for _ in 0..<Self.commandsPerBlock {
            Array(Sample.key.utf8).withUnsafeBytes { key in
                value.withUnsafeBytes { writer.set(key: key, value: $0) }
            }
        }
        segment = writer.finish().sign(Origin(node: 1, incarnation: 1, sequence: 1))
        leader.wait(.seconds(1))
        try exchange { _ in }
        guard leader.isLeader else { throw BudgetError("nobody was elected") }
        leader.engine.stopKeeping()
        follower.engine.stopKeeping()
    }

    func run(_ operations: Int) throws {
        var settled = 0
        for _ in 0..<operations {
            leader.propose([segment])
            try exchange { settled += $0 }
        }
        guard settled == operations * Self.commandsPerBlock else {
            throw BudgetError("\(settled) commands settled of \(operations) blocks")
        }
    }

    /// Lets both work until neither has anything to say.
    private func exchange(_ settled: (Int) -> Void) throws {
        repeat {
            try leader.work { _, outcomes in settled(outcomes.count) }
            for message in leader.outbox { try follower.receive(message) }
            try follower.work()
            for message in follower.outbox { try leader.receive(message) }
        } while !leader.outbox.isEmpty || !follower.outbox.isEmpty
    }
}
