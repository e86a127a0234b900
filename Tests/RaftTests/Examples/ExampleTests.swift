import Foundation
import Raft
import Testing

@Suite("The library's example: a replicated queue of tasks")
struct ExampleTests {
    @Test func `tasks are handed out once, and again when their time is over`() {
        var queue = TaskQueueExample()
        #expect(queue.output(of: "add mail") == .added(1))
        #expect(queue.output(of: "add bill") == .added(2))
        #expect(queue.output(of: "claim anna 100 30") == .claimed(1, "mail"))
        #expect(queue.output(of: "claim bert 101 30") == .claimed(2, "bill"))
        #expect(queue.output(of: "claim carl 102 30") == .nothing)
        #expect(queue.output(of: "claim carl 130 30") == .claimed(1, "mail"))
        #expect(queue.output(of: "finish 1 anna") == .refused)
        #expect(queue.output(of: "finish 1 carl") == .finished)
        #expect(queue.output(of: "nonsense") == .refused)
        #expect(queue.output(of: "claim dora 1 soon") == .refused)
        settle(&queue)
    }

    @Test func `the queue goes on without its first leader`() throws {
        var queue = TaskQueueExample()
        #expect(queue.output(of: "add mail") == .added(1))
        let first = try #require(queue.leader)
        queue.isolated = [NodeID(UInt64(first) + 1)]
        #expect(queue.output(of: "claim anna 100 30") == .claimed(1, "mail"))
        #expect(queue.leader != first)
        queue.isolated = []
        #expect(queue.output(of: "finish 1 anna") == .finished)
        settle(&queue)
    }

    @Test func `a node that was away too long gets a snapshot`() throws {
        var queue = TaskQueueExample { $0.maxRetainedEntries = 2 }
        #expect(queue.output(of: "add mail") == .added(1))
        let away = try #require((0..<3).last { $0 != queue.leader })
        queue.isolated = [NodeID(UInt64(away) + 1)]
        for count in 2...9 { #expect(queue.output(of: "add task-\(count)") == .added(count)) }
        // The next heartbeat tells everybody what may be cut.
        let leader = try #require(queue.leader)
        queue.run { queue in queue.replicas[leader].core.truncatableIndex >= 5 }
        queue.compact()
        queue.isolated = []
        settle(&queue)
        #expect(queue.replicas[away].machine.state.tasks.count == 9)
        #expect(queue.replicas[away].core.status.firstIndex > 2, "it should have got a snapshot")
    }

    /// Everybody has applied everything, and the states are equal.
    private func settle(_ queue: inout TaskQueueExample) {
        queue.run { queue in
            guard let leader = queue.leader else { return false }
            let last = queue.replicas[leader].core.lastIndex
            return queue.replicas.allSatisfy { $0.machine.applied.index == last }
        }
        let digests = queue.replicas.map { $0.machine.digest() }
        #expect(Set(digests).count == 1)
        #expect(Set(queue.replicas.map(\.machine.state)).count == 1)
    }
}

@Suite("Documentation of the library")
struct LibraryDocumentationTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    /// The page shows files as they are: each after a comment that names it.
    @Test(arguments: ["TaskQueue.swift", "Replica.swift", "TaskQueueExample.swift"])
    func `the page shows the code that is compiled`(file: String) throws {
        let root = Self.folder.appending(path: "../../..").standardized
        let page = try String(contentsOf: root.appending(path: "docs/library.md"), encoding: .utf8)
        let code = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
        let block = "<!-- Tests/RaftTests/Examples/\(file) -->\n```swift\n\(code)```\n"
        #expect(page.contains(block), "docs/library.md shows another \(file): paste the file into its block")
    }
}

extension TaskQueueExample {
    /// What the leader's machine answered; `nil`: nothing.
    fileprivate mutating func output(of command: String) -> TaskQueue.Output? {
        if case .applied(let output) = execute(command) { output } else { nil }
    }
}
