import ByteCoding
import KeyValue
import Testing

@Suite("What commands do and answer: Redis 7, IFEQ as in Valkey")
struct CommandSemanticsTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var given: [TextCommand]
        var commands: [TextCommand]
        var answers: [Outcome]
        var values: [String: String]
        var testDescription: String { "\(given.isEmpty ? "" : "\(given): ")\(commands)" }

        init(_ given: [TextCommand], _ commands: [TextCommand], answers: [Outcome], leaves values: [String: String]) {
            (self.given, self.commands, self.answers, self.values) = (given, commands, answers, values)
        }

        init(_ commands: [TextCommand], answers: [Outcome], leaves values: [String: String]) {
            self.init([], commands, answers: answers, leaves: values)
        }
    }

    static let sets = [
        Example(["SET k v"], answers: [.ok], leaves: ["k": "v"]),
        Example(["SET k v", "SET k w"], answers: [.ok, .ok], leaves: ["k": "w"]),
        Example(["SET '' ''"], answers: [.ok], leaves: ["": ""]),
        Example(["SET k v NX"], answers: [.ok], leaves: ["k": "v"]),
        Example(["SET k old"], ["SET k v NX"], answers: [.null], leaves: ["k": "old"]),
        Example(["SET k ''"], ["SET k v NX"], answers: [.null], leaves: ["k": ""]),
        Example(["SET k v XX"], answers: [.null], leaves: [:]),
        Example(["SET k old"], ["SET k v XX"], answers: [.ok], leaves: ["k": "v"]),
        Example(["SET k v IFEQ old"], answers: [.null], leaves: [:]),
        Example(["SET k v IFEQ ''"], answers: [.null], leaves: [:]),
        Example(["SET k old"], ["SET k v IFEQ old"], answers: [.ok], leaves: ["k": "v"]),
        Example(["SET k older"], ["SET k v IFEQ old"], answers: [.null], leaves: ["k": "older"]),
        Example(["SET k ol"], ["SET k v IFEQ old"], answers: [.null], leaves: ["k": "ol"]),
        Example(["SET k ''"], ["SET k v IFEQ ''"], answers: [.ok], leaves: ["k": "v"]),
        Example(["SET k v GET"], answers: [.null], leaves: ["k": "v"]),
        Example(["SET k old"], ["SET k v GET"], answers: [.value("old")], leaves: ["k": "v"]),
        Example(["SET k v NX GET"], answers: [.null], leaves: ["k": "v"]),
        Example(["SET k old"], ["SET k v NX GET"], answers: [.value("old")], leaves: ["k": "old"]),
        Example(["SET k v XX GET"], answers: [.null], leaves: [:]),
        Example(["SET k old"], ["SET k v XX GET"], answers: [.value("old")], leaves: ["k": "v"]),
        Example(["SET k old"], ["SET k v IFEQ old GET"], answers: [.value("old")], leaves: ["k": "v"]),
        Example(["SET k old"], ["SET k v IFEQ other GET"], answers: [.value("old")], leaves: ["k": "old"]),
        Example(["MSET a 1 b 2 a 3"], answers: [.ok], leaves: ["a": "3", "b": "2"]),
    ]

    static let others = [
        Example(["DEL k"], answers: [.integer(0)], leaves: [:]),
        Example(["MSET a 1 b 2 c 3"], ["DEL a x c"], answers: [.integer(2)], leaves: ["b": "2"]),
        Example(["SET a 1"], ["DEL a a"], answers: [.integer(1)], leaves: [:]),
        Example(["SET a 1"], ["DEL a", "DEL a"], answers: [.integer(1), .integer(0)], leaves: [:]),
        Example(["APPEND k ab"], answers: [.integer(2)], leaves: ["k": "ab"]),
        Example(["APPEND k ''"], answers: [.integer(0)], leaves: ["k": ""]),
        Example(
            ["SET k ab"], ["APPEND k c", "APPEND k ''"], answers: [.integer(3), .integer(3)], leaves: ["k": "abc"]),
        Example(["INCRBY n 1"], answers: [.integer(1)], leaves: ["n": "1"]),
        Example(["INCRBY n -5"], answers: [.integer(-5)], leaves: ["n": "-5"]),
        Example(
            ["SET n 10"], ["INCRBY n 5", "INCRBY n -15"], answers: [.integer(15), .integer(0)], leaves: ["n": "0"]),
        Example(["INCRBY n 4", "APPEND n 2"], answers: [.integer(4), .integer(2)], leaves: ["n": "42"]),
        Example(
            ["SET n 9223372036854775806"], ["INCRBY n 1", "INCRBY n 1"],
            answers: [.integer(.max), .failure(.overflow)], leaves: ["n": "9223372036854775807"]),
        Example(
            ["SET n -9223372036854775808"], ["INCRBY n -1", "INCRBY n 9223372036854775807"],
            answers: [.failure(.overflow), .integer(-1)], leaves: ["n": "-1"]),
        Example(["FLUSHALL"], answers: [.ok], leaves: [:]),
        Example(["MSET a 1 b 2"], ["FLUSHALL"], answers: [.ok], leaves: [:]),
    ]

    @Test(arguments: sets + others) func `a command answers and leaves what Redis does`(_ example: Example) throws {
        let replica = Replica(MemoryStateStore())
        _ = try replica.applyOneByOne(example.given)
        #expect(try replica.applyOneByOne(example.commands) == example.answers)
        #expect(try replica.values() == example.values)
    }

    @Test(arguments: sets + others) func `it does the same when the commands before it are in its own batch`(
        _ example: Example
    ) throws {
        let replica = Replica(MemoryStateStore())
        let outcomes = try replica.applyTogether(example.given + example.commands)
        #expect(outcomes.suffix(example.commands.count) == example.answers[...])
        #expect(try replica.values() == example.values)
    }

    @Test(arguments: ["''", "x", "1x", "01", "+1", "-", "-0", "1.0", "9223372036854775808", "-9223372036854775809"])
    func `what is no integer by Redis' rules is not counted up`(_ text: String) throws {
        let replica = Replica(MemoryStateStore())
        let set = TextCommand(stringLiteral: "SET n \(text)")
        #expect(try replica.applyOneByOne([set, "INCRBY n 0"]) == [.ok, .failure(.notAnInteger)])
        #expect(try replica.values() == ["n": set.words[2]])
    }

    @Test func `an integer may have no space around it`() throws {
        for text in [" 1", "1 ", "1\n", "1\u{0}"] {
            let commands = [TextCommand(["SET", "n", text]), "INCRBY n 0"]
            #expect(try Replica(MemoryStateStore()).applyOneByOne(commands).last == .failure(.notAnInteger))
        }
    }

    @Test(arguments: [Int64.min, -1, 0, 9, 10, .max]) func `an integer's own form is an integer`(_ value: Int64) throws
    {
        let commands = [TextCommand(["SET", "n", String(value)]), "INCRBY n 0"]
        #expect(try Replica(MemoryStateStore()).applyOneByOne(commands).last == .integer(value))
    }

    @Test func `an append beyond the longest value fails and writes nothing`() throws {
        let replica = Replica(HugeValueStore(count: Command.maxValueBytes))
        #expect(try replica.applyOneByOne(["APPEND k x"]) == [.failure(.valueTooLong)])
    }
}
