import Testing

@testable import Simulator

@Suite("Simulator: runs")
struct RunTests {
    @Test(arguments: 0..<4)
    func `twenty seeds hold every invariant`(part: Int) {
        for seed in UInt64(part * 5 + 1)...UInt64(part * 5 + 5) {
            let report = Simulation.run(.drawn(seed: seed, events: 2_000))
            #expect(report.violation == nil, "seed \(seed): \(report.options)")
        }
    }

    @Test func `a cluster without faults works`() throws {
        var limits = SwarmOptions.Limits()
        limits.faults = FaultSet()
        limits.nodes = 3
        limits.clients = 4
        let report = Simulation.run(.drawn(seed: 3, events: 10_000, limits: limits))
        #expect(report.violation == nil)
        #expect(report.marks[.leaderElected] > 0)
        #expect(report.marks[.readAnswered] > 0)
        #expect(report.marks[.crashed] == 0)
        #expect(report.entriesCommitted > 50)
        #expect(report.statesCompared > 0)
        #expect(report.undecidedKeys == 0)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7])
    func `every cluster size converges under all faults`(nodes: Int) {
        var limits = SwarmOptions.Limits()
        limits.nodes = nodes
        for seed in UInt64(100)...101 {
            let report = Simulation.run(.drawn(seed: seed, events: 2_000, limits: limits))
            #expect(report.violation == nil, "seed \(seed): \(report.options)")
            #expect(report.marks[.converged] == 1 || report.hasNoMajority)
        }
    }

    @Test func `some runs hunt for stale reads, and keep to what the command line fixes`() {
        var limits = SwarmOptions.Limits()
        limits.faults = FaultSet([.isolatedLeader, .transfer, .jump])
        limits.clients = 2
        let drawn = (1...100).map { SwarmOptions.drawn(seed: $0, events: 1, limits: limits) }
        let hunts = drawn.filter(\.isHunt)
        #expect(hunts.count > 5 && hunts.count < 30)
        for hunt in hunts {
            #expect(hunt.faults.kinds == [.isolatedLeader, .transfer])
            #expect(hunt.clients == 2 && hunt.nodes >= 3 && hunt.clock.maxJump == 0)
            #expect(!hunt.core.leaseReads || hunt.core.checkQuorum)
        }
    }

    @Test func `a trace is complete and in etcd's words`() {
        var limits = SwarmOptions.Limits()
        limits.withoutPreVote = true
        limits.nodes = 3
        var names: [String: Int] = [:]
        var beginnings: [Substring: String] = [:]
        _ = Simulation.run(
            .drawn(seed: 4, events: 5_000, limits: limits),
            trace: { line in
                #expect(line.hasPrefix(#"{"tag":"trace","event":{"name":""#))
                #expect(line.hasSuffix("}}"))
                names[String(line.dropFirst(32).prefix { $0 != "\"" }), default: 0] += 1
                let node = Self.value(of: #""nid":""#, in: line)
                if beginnings[node] == nil { beginnings[node] = line }
            })
        #expect(names["InitState", default: 0] >= 3)
        // As after etcd's bootstrap: three configuration entries of term 1.
        let first = #""state":{"term":1,"vote":"0","commit":3},"role":"StateFollower","log":3"#
        for founder in ["1", "2", "3"] as [Substring] {
            #expect(beginnings[founder]?.contains(first) == true, "\(beginnings)")
        }
        for name in ["BecomeCandidate", "BecomeLeader", "Commit", "Replicate", "Ready", "ReceiveRequestVoteResponse"] {
            #expect(names[name, default: 0] > 0, "\(name) in \(names)")
        }
        #expect(names["SendRequestVoteRequest", default: 0] > 0)
    }

    /// Without changes of the membership each entry is one `Replicate` line of the leader that appended it.
    @Test(arguments: UInt64(1)...6)
    func `a trace has a line for each entry, and says what changes the membership`(seed: UInt64) {
        var limits = SwarmOptions.Limits()
        limits.withoutPreVote = true
        limits.nodes = 3
        if seed % 2 == 0 { for kind in [.membership, .lostDisk] as [FaultKind] { limits.faults.remove(kind) } }
        var (replicated, committed) = (0, 0)
        _ = Simulation.run(
            .drawn(seed: seed, events: 4_000, limits: limits),
            trace: { line in
                let name = line.dropFirst(32).prefix { $0 != "\"" }
                let isLeaders = line.contains(#""role":"StateLeader""#)
                committed = max(committed, Int(Self.value(of: #","commit":"#, in: line)) ?? 0)
                switch name {
                case "Replicate":
                    replicated += 1
                    #expect(isLeaders, "seed \(seed): \(line)")
                case "ChangeConf":
                    #expect(isLeaders, "seed \(seed): \(line)")
                    #expect(line.contains(#""prop":{"cc":{"changes":[{"nid":""#), "seed \(seed): \(line)")
                case "ApplyConfChange":
                    let voters = Self.list(after: #""conf":["#, in: line)
                    #expect(Self.list(after: #""newconf":"#, in: line) == voters, "seed \(seed): \(line)")
                default: break
                }
            })
        #expect(replicated > 0)
        // The three first are the founders'.
        if seed % 2 == 0 { #expect(replicated >= committed - 3, "seed \(seed)") }
    }

    private static func list(after field: String, in line: String) -> Substring? {
        line.firstRange(of: field).map { line[$0.upperBound...].prefix { $0 != "]" } }
    }

    @Test func `a trace tells of snapshots as etcd does: they are appends`() {
        var limits = SwarmOptions.Limits()
        limits.withoutPreVote = true
        var names: [String: Int] = [:]
        for seed in UInt64(1)...12 {
            _ = Simulation.run(
                .drawn(seed: seed, events: 4_000, limits: limits),
                trace: { line in
                    guard line.contains(#""type":"MsgSnap""#) else { return }
                    names[String(line.dropFirst(32).prefix { $0 != "\"" }), default: 0] += 1
                })
        }
        #expect(Set(names.keys) == ["SendAppendEntriesRequest", "ReceiveAppendEntriesRequest"], "\(names)")
    }

    /// Some messages are lost and some come twice, but none comes from nowhere, and no node's time goes back.
    @Test(arguments: UInt64(1)...6)
    func `a trace is in causal order, without PreVote`(seed: UInt64) {
        var limits = SwarmOptions.Limits()
        limits.withoutPreVote = true
        var sent: Set<Substring> = []
        var received = 0
        var terms: [Substring: Int] = [:]
        _ = Simulation.run(
            .drawn(seed: seed, events: 3_000, limits: limits),
            trace: { line in
                let name = line.dropFirst(32).prefix { $0 != "\"" }
                let message = line.firstRange(of: #""msg":{"#).map { line[$0.upperBound...].prefix { $0 != "}" } }
                if name.hasPrefix("Send"), let message { sent.insert(message) }
                if name.hasPrefix("Receive"), let message {
                    received += 1
                    #expect(sent.contains(message), "seed \(seed): \(line)")
                }
                let node = Self.value(of: #""nid":""#, in: line)
                let term = Int(Self.value(of: #""state":{"term":"#, in: line)) ?? -1
                // A disk that was lost takes the term with it.
                if name != "InitState" { #expect(term >= terms[node, default: 0], "seed \(seed): \(line)") }
                terms[node] = term
                #expect(!line.contains("StatePreCandidate") && !line.contains("MsgPreVote"), "seed \(seed): \(line)")
            })
        #expect(received > 100)
    }

    private static func value(of field: String, in line: String) -> Substring {
        guard let place = line.firstRange(of: field) else { return "" }
        return line[place.upperBound...].prefix { $0 != "\"" && $0 != "," }
    }
}
