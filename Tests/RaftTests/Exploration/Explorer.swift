@testable import Raft

/// Searches everything that can happen to a small group, shortest paths first (bounded explicit-state exploration).
///
/// The group is the real core, not a model of it: every state is a value, so an action is tried on a copy.
struct Explorer {
    struct Report {
        var title: String
        /// Different states, and how many actions led to them or to known ones.
        var states = 1
        var transitions = 0
        /// How many new states each further action led to; the first is the start.
        var newStates = [1]
        /// Length of the longest of the shortest paths.
        var depth: Int { newStates.count - 1 }
        /// States that were judged and not followed, because they lie beyond the bounds on terms, entries or packets.
        var cut = 0
        /// Everything within the bounds on terms, entries and packets was seen: neither depth nor number of states
        /// ended the search.
        var isComplete = true
        var reached = Reached()
        var failure: Failure?

        /// One line for people.
        var summary: String {
            "explored \(title): \(states) states, \(transitions) transitions, depth \(depth), \(cut) cut"
                + (isComplete ? ", complete" : "")
                + "; \(reached.leaderships) leaderships, \(reached.committed) committed"
        }
    }

    /// What the search has come across: it must not be empty.
    struct Reached: Hashable {
        /// Leaderships on one path.
        var leaderships = 0
        /// Entries committed on one path, those before the start included.
        var committed = 0
        /// Anywhere.
        var marks: World.Marks = []
    }

    struct Failure: CustomStringConvertible {
        var what: String
        /// How it came about, one action a line.
        var path: [String]
        var description: String {
            ([what] + path.enumerated().map { "  \($0.offset + 1). \($0.element)" }).joined(separator: "\n")
        }
    }

    /// How a state was found first.
    private struct Step {
        var parent: Int32
        var action: Action
    }

    private let space: SearchSpace
    private var report: Report
    private var seen: Set<Int> = []
    private var steps: [Step] = []
    private var frontier: [(world: World, step: Int32)] = []

    private init(_ space: SearchSpace) {
        self.space = space
        report = Report(title: space.title)
    }

    static func explore(_ space: SearchSpace) -> Report {
        var explorer = Explorer(space)
        explorer.search()
        return explorer.report
    }

    private mutating func search() {
        let start = World(space)
        note(start)
        if let failure = start.history.failure { return fail(failure, step: -1) }
        seen.insert(start.digest)
        frontier = [(start, -1)]
        while !frontier.isEmpty, report.failure == nil {
            guard report.depth < space.bounds.depth, report.states < space.bounds.states else {
                report.isComplete = false
                return
            }
            let known = report.states
            expandFrontier()
            if report.states > known { report.newStates.append(report.states - known) }
        }
    }

    private mutating func expandFrontier() {
        var next: [(world: World, step: Int32)] = []
        for (world, step) in frontier {
            for action in world.actions(in: space) {
                attempt(action, on: world, step, &next)
                if report.failure != nil { return }
            }
            if report.states >= space.bounds.states { break }
        }
        frontier = next
    }

    private mutating func attempt(
        _ action: Action, on world: World, _ parent: Int32, _ next: inout [(world: World, step: Int32)]
    ) {
        var successor = world
        successor.perform(action, in: space)
        report.transitions += 1
        note(successor)
        guard seen.insert(successor.digest).inserted else { return }
        report.states += 1
        steps.append(Step(parent: parent, action: action))
        let step = Int32(steps.count - 1)
        if let failure = successor.history.failure { return fail(failure, step: step) }
        guard successor.isWithin(space.bounds) else {
            report.cut += 1
            return
        }
        next.append((successor, step))
    }

    private mutating func note(_ world: World) {
        report.reached.leaderships = max(report.reached.leaderships, world.history.leaders.count)
        report.reached.committed = max(report.reached.committed, world.history.committed.count)
        report.reached.marks.formUnion(world.marks)
    }

    private mutating func fail(_ what: String, step: Int32) {
        report.isComplete = false
        var actions: [Action] = []
        var place = step
        while place >= 0 {
            actions.append(steps[Int(place)].action)
            place = steps[Int(place)].parent
        }
        var world = World(space)
        var path: [String] = []
        for action in actions.reversed() {
            path.append(world.describe(action))
            world.perform(action, in: space)
        }
        report.failure = Failure(what: what, path: path)
    }
}
