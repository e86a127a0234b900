import ByteCoding
import KeyValue
import Testing

@Suite("Random commands against a dictionary, and replicas against each other")
struct DifferentialTests {
    /// The same log, cut into calls at random places.
    private func calls(of units: [ApplyUnit], cutBy random: inout SeededGenerator) -> [[ApplyUnit]] {
        var calls: [[ApplyUnit]] = [[]]
        for unit in units {
            if Int.random(in: 0..<3, using: &random) == 0 { calls.append([]) }
            calls[calls.count - 1].append(unit)
        }
        return calls
    }

    /// Units of up to three segments of up to eight commands.
    private func log(seed: UInt64, count: UInt64) -> (units: [ApplyUnit], commands: [TextCommand]) {
        var (generator, random) = (CommandGenerator(seed: seed), SeededGenerator(seed: ~seed))
        var (units, all): ([ApplyUnit], [TextCommand]) = ([], [])
        for index in 1...count {
            let isBlind = Int.random(in: 0..<4, using: &random) == 0
            let segments = (0..<Int.random(in: 1...3, using: &random)).map { place in
                let commands = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                    isBlind ? generator.blind() : generator.next()
                }
                all += commands
                return segment(commands, .own(index * 10 + UInt64(place)))
            }
            units.append(unit(index, segments: segments))
        }
        return (units, all)
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `outcomes and values are those of a dictionary`(seed: UInt64) throws {
        let (units, commands) = log(seed: seed, count: 25)
        var (model, random) = (NaiveModel(), SeededGenerator(seed: seed))
        let expected = commands.map { model.apply($0) }
        let replica = Replica(MemoryStateStore())
        var outcomes: [Outcome] = []
        for call in calls(of: units, cutBy: &random) {
            outcomes += try replica.apply(call).flatMap(\.outcomes)
        }
        for index in commands.indices where outcomes[index] != expected[index] {
            let answers = "\(outcomes[index]), not \(expected[index])"
            Issue.record("seed \(seed), command \(index) \(commands[index]): \(answers)")
            break
        }
        #expect(outcomes.count == commands.count)
        #expect(try replica.values() == model.values, "seed \(seed)")
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `the same log leaves the same bytes, however it is cut into calls and whoever sent it`(seed: UInt64) throws {
        let units = log(seed: seed, count: 25).units
        var random = SeededGenerator(seed: seed)
        let (whole, pieces) = (Replica(MemoryStateStore()), Replica(MemoryStateStore()))
        let foreign = Replica(MemoryStateStore())
        try whole.apply(units)
        for call in calls(of: units, cutBy: &random) { try pieces.apply(call) }
        for unit in units {
            try foreign.machine.apply([unit], settlingFor: 2, incarnation: 5) { origin, _ in
                Issue.record("\(origin) is not of node 2")
            }
        }
        #expect(try whole.dump() == pieces.dump(), "seed \(seed)")
        #expect(try whole.dump() == foreign.dump(), "seed \(seed)")
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `every write gives a version that no other write has given`(seed: UInt64) throws {
        let replica = Replica(MemoryStateStore())
        var (lastVersions, given) = ([Bytes: Version](), Set<Version>())
        for unit in log(seed: seed, count: 25).units {
            try replica.apply([unit])
            var written: Set<Version> = []
            for pair in try replica.dump().dropFirst() {
                let version = try pair.value.withUnsafeBytes { try ValueHeader.decode($0).header.version }
                if lastVersions.updateValue(version, forKey: pair.key) != version { written.insert(version) }
            }
            #expect(given.isDisjoint(with: written), "seed \(seed)")
            given.formUnion(written)
        }
        #expect(!given.isEmpty)
    }
}
