import Raft
import RaftStorage

/// `roostd inspect` for people.
enum SummaryText {
    static func page(_ summary: StoreSummary) -> String {
        var lines: [String] = []
        func line(_ label: String, _ text: String) {
            lines.append(label + String(repeating: " ", count: max(1, 11 - label.count)) + text)
        }
        line("node", IdentityText.line(summary.identity))
        if summary.isSuspect { line("", "suspect: votes only after it has caught up with a leader") }
        if summary.isRemoved { line("", "removed from the cluster") }
        if summary.isCopy { line("", "a copy of the node's directory: no node starts on it") }
        let state = summary.head.hardState
        line("hard state", "term \(state.term), vote \(state.vote.map(\.description) ?? "none")")
        let truncated = summary.head.truncated
        let entries = summary.entries.map { range in
            "\(range.lowerBound) ... \(range.upperBound) (last of term \(summary.lastTerm))"
        }
        line(
            "log",
            "\(entries ?? "no entries"); cut off through \(truncated.index) of term \(truncated.term); "
                + "committed \(summary.head.commit)")
        if let position = summary.applied {
            line("state", "generation \(summary.generation), applied \(position.id.index) of term \(position.id.term)")
            line("members", members(position.membership))
            for entry in position.directory.members.entries {
                line("", "\(entry.node): \(member(entry.member))")
            }
        } else {
            line("state", "generation \(summary.generation), nothing applied")
        }
        for peer in summary.peers {
            line("met", "node \(peer.node), incarnation \(IdentityText.hexadecimal(peer.incarnation))")
        }
        for family in summary.families {
            line(
                "family",
                "\(family.name): about \(Amount.count(family.keys)) keys; \(family.files) table files, "
                    + Amount.bytes(family.bytes))
        }
        line("WAL", Amount.bytes(summary.writeAheadLogBytes))
        for file in summary.snapshots { line("snapshot", "\(file.name), \(Amount.bytes(file.bytes))") }
        return lines.joined(separator: "\n")
    }

    private static func members(_ membership: Membership) -> String {
        func list(_ nodes: [NodeID]) -> String { nodes.map(\.description).joined(separator: ",") }
        var text = "voters \(list(membership.voters))"
        if !membership.learners.isEmpty { text += "; learners \(list(membership.learners))" }
        if !membership.outgoing.isEmpty { text += "; leaving \(list(membership.outgoing))" }
        return text
    }

    private static func member(_ member: ClusterDirectory.Member) -> String {
        let addresses = [("peer", member.peer), ("redis", member.redis), ("http", member.http)]
        let known = addresses.filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1)" }
        return (known + ["incarnation \(IdentityText.hexadecimal(member.incarnation))"]).joined(separator: ", ")
    }
}
