import ByteCoding
import KeyValue
import Testing

@Suite("Sessions against a plain model, and replicas against each other")
struct SessionDifferentialTests {
    private static let unitsPerLog: UInt64 = 40

    private func log(_ seed: UInt64) -> SessionLogGenerator.Log {
        var generator = SessionLogGenerator(seed: seed)
        return generator.log(units: Self.unitsPerLog)
    }

    private func calls(of units: [ApplyUnit], cutBy random: inout SeededGenerator) -> [[ApplyUnit]] {
        var calls: [[ApplyUnit]] = []
        for unit in units {
            if calls.isEmpty || Int.random(in: 0..<3, using: &random) == 0 { calls.append([]) }
            calls[calls.count - 1].append(unit)
        }
        return calls
    }

    @Test(arguments: 0..<80 as Range<UInt64>)
    func `outcomes and values are those of the model`(seed: UInt64) throws {
        let log = log(seed)
        var (model, random) = (SessionModel(), SeededGenerator(seed: seed))
        let expected = log.commands.map { model.apply($0.command, at: $0.version, stamp: $0.stamp) }
        let replica = Replica(MemoryStateStore())
        var outcomes: [Outcome] = []
        for call in calls(of: log.units, cutBy: &random) { outcomes += try replica.apply(call).flatMap(\.outcomes) }
        #expect(outcomes.count == expected.count)
        for (index, (outcome, answer)) in zip(outcomes, expected).enumerated() where outcome != answer {
            let (command, version, stamp) = log.commands[index]
            Issue.record("seed \(seed), \(version) at \(stamp): \(command): \(outcome), not \(answer)")
            break
        }
        #expect(try replica.values() == model.keys.values, "seed \(seed)")
        #expect(try replica.sessions().map(\.description).sorted() == model.openSessions, "seed \(seed)")
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `the same log leaves the same bytes, however it is cut, whoever sent it and whenever a node restarts`(
        seed: UInt64
    ) throws {
        let units = log(seed).units
        var random = SeededGenerator(seed: seed)
        let (whole, pieces) = (Replica(MemoryStateStore()), Replica(MemoryStateStore()))
        let (foreign, restarting) = (Replica(MemoryStateStore()), MemoryStateStore())
        try whole.apply(units)
        for call in calls(of: units, cutBy: &random) { try pieces.apply(call) }
        for unit in units { try foreign.machine.apply([unit], settlingFor: 2, incarnation: 5) { _, _ in } }
        for call in calls(of: units, cutBy: &random) { try Replica(restarting).apply(call) }
        let expected = try whole.dump()
        #expect(try pieces.dump() == expected, "seed \(seed)")
        #expect(try foreign.dump() == expected, "seed \(seed)")
        #expect(try Replica(restarting).dump() == expected, "seed \(seed)")
    }

    @Test func `the logs reach what they are made for`() {
        var seen: [String: Int] = [:]
        for seed in 0..<80 as Range<UInt64> {
            var model = SessionModel()
            var executed: Set<ArraySlice<String>> = []
            for (command, version, stamp) in log(seed).commands {
                let outcome = model.apply(command, at: version, stamp: stamp)
                guard command.words[0] == "ONCE" else { continue }
                switch outcome {
                case .failure(.noSession): seen["no session", default: 0] += 1
                case .failure(.staleRequest): seen["stale", default: 0] += 1
                default:
                    let isNew = executed.insert(command.words[1...2]).inserted
                    seen[isNew ? "executed" : "repeated", default: 0] += 1
                }
            }
        }
        for name in ["no session", "stale", "repeated", "executed"] {
            #expect(seen[name, default: 0] > 1000, "\(name): \(seen)")
        }
    }
}
