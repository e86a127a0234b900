import ByteCoding
import Raft

/// Plays a table of membership changes, one a line, each on what the one before has left.
///
/// | Line | |
/// |---|---|
/// | `start voters= [learners= outgoing= learners-next= leaves=]` | begins anew |
/// | `apply STEP... [transition= context=]`, `leave` | must fit |
/// | `refuse STEP...`, `refuse-leave` | must not fit, and changes nothing |
/// | `expect voters= ...` | the whole membership: what is not named is empty |
struct MembershipTable {
    private var membership = Membership(voters: [])

    static func play(_ text: String, file: String) throws(ScenarioFailure) {
        var table = MembershipTable()
        var isExpecting = false
        for line in ScenarioLine.all(of: text, file: file) {
            try table.play(line)
            isExpecting = isExpecting || line.words.first == "expect"
        }
        if !isExpecting {
            throw ScenarioFailure(file: file, line: 1, expected: "a table that expects something", found: "none")
        }
    }

    private mutating func play(_ line: ScenarioLine) throws(ScenarioFailure) {
        var line = line
        switch try line.word("a command") {
        case "start": membership = try line.membership(voters: [])
        case "apply": try apply(try change(&line), line)
        case "leave": try apply(.leaveJoint, line)
        case "refuse": try refuse(try change(&line), line)
        case "refuse-leave": try refuse(.leaveJoint, line)
        case "expect":
            let expected = try line.membership(voters: [])
            if membership != expected { throw line.failure(expected.summary, found: membership.summary) }
        case let other: throw line.failure("a command", found: "\"\(other)\"")
        }
        try line.finish()
    }

    private func change(_ line: inout ScenarioLine) throws(ScenarioFailure) -> MembershipChange {
        let transition = try line.transition()
        let context = Bytes(try line.option("context") ?? "")
        return MembershipChange(try line.steps(), transition: transition, context: context)
    }

    private mutating func apply(_ change: MembershipChange, _ line: ScenarioLine) throws(ScenarioFailure) {
        do throws(MembershipChangeError) {
            membership = try membership.applying(change)
        } catch {
            throw line.failure("a change that fits", found: "\(error)")
        }
    }

    private func refuse(_ change: MembershipChange, _ line: ScenarioLine) throws(ScenarioFailure) {
        if let changed = try? membership.applying(change) {
            throw line.failure("a change that does not fit", found: changed.summary)
        }
    }
}
