import Foundation
import Testing

extension CrashTests {
    /// One system call fails, at every position from the start of a process on. The node must end at once and say so:
    /// after a failed sync nobody knows what the disk holds. RocksDB may abort before it can tell.
    @Suite("A disk that fails", .enabled(if: Shim.isAvailable)) struct DiskErrorTests {
        private let sandbox = Sandbox.current!
        private static let ends: [ChildProcess.Exit] = [.code(74), .signal(SIGABRT)]

        /// A directory that is being made; from some position on, no sync of the start is left to fail.
        @Test func `each sync of a new directory`() throws {
            var (number, failed, hasFailed) = (1, 0, true)
            while hasFailed {
                let node = DaemonProcess(try .init(sandbox), sandbox: sandbox)
                let note = sandbox.newFolder("note")
                try node.start(
                    environment: Shim.environment(
                        .fail(EIO), .sync, at: number, in: node.settings.directory, note: note))
                _ = try node.servesOrEnds()
                hasFailed = !readText(note).isEmpty
                if hasFailed {
                    failed += 1
                    try waitForEnd(of: node, note)
                } else {
                    #expect(node.isRunning, "\(node.lastWord)")
                    try node.kill()
                }
                try node.start()
                try node.waitUntilServing()
                #expect(try node.connect()("SET", "k", "v") == .ok)
                try node.kill()
                number += CrashForm.pick(short: 4, long: 1)
            }
            #expect(failed > 2)
            say("a new directory: \(failed) failing syncs, the node ended each time and started afterwards")
        }

        @Test(arguments: Shim.Calls.allCases)
        func `one node that serves writes`(calls: Shim.Calls) throws {
            let node = try DaemonProcess.single(sandbox, arguments: DaemonProcess.restless)
            var chronicle = Chronicle()
            for (index, number) in Self.positions(calls).enumerated() {
                sayProgress("failing \(calls) calls", index, of: Self.positions(calls).count)
                try node.kill()
                let round = "\(calls)-\(number)"
                let ledger = try underLoad([node], round: round, before: 0) {
                    // Half of the failing writes find no space.
                    let code = calls == .write && number.isMultiple(of: 2) ? ENOSPC : EIO
                    try fail(node, code, calls, at: number)
                    try node.start()
                }
                try node.waitUntilServing()
                try chronicle.add(ledger, round: round, readAt: node)
            }
            try chronicle.check(at: node)
            say(
                "one node: \(Self.positions(calls).count) failing \(calls) calls, \(chronicle.summary)"
            )
        }

        /// The others go on while the victim is gone.
        @Test(arguments: Shim.Calls.allCases)
        func `one of three nodes`(calls: Shim.Calls) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 6_000)
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless)
            let rounds = CrashForm.pick(short: 3, long: calls == .sync ? 60 : 30)
            var chronicle = Chronicle()
            for round in 1...rounds {
                sayProgress("failing \(calls) calls, one of three", round, of: rounds)
                let victim = cluster.nodes[round % 3]
                try victim.kill()
                let number = Int.random(in: 1...CrashForm.pick(short: 30, long: 120), using: &random)
                let name = "three-\(calls)-\(number)-\(round)"
                let ledger = try underLoad(cluster.nodes, round: name, before: 0) {
                    try fail(victim, EIO, calls, at: number)
                }
                try victim.start()
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: name, readAt: victim)
            }
            for node in cluster.nodes { try chronicle.check(at: node) }
            say("three nodes: \(rounds) failing \(calls) calls, \(chronicle.summary)")
        }

        /// The negative control: a disk that takes writes, says that it did, and did not.
        @Test func `a disk that leaves writes out is found out`() throws {
            let node = try DaemonProcess.single(sandbox)
            try node.kill()
            let note = sandbox.newFolder("note")
            try node.start(
                environment: Shim.environment(.skip, .write, at: 40, in: node.settings.directory, note: note))
            try node.waitUntilServing()
            let ledger = try underLoad([node], round: "control", before: 200, after: 0) { try node.kill() }
            #expect(!readText(note).isEmpty)
            try node.start()
            // It may also find out by itself that its files do not fit together.
            guard try node.servesOrEnds() else { return #expect(try node.current.ended == .code(65)) }
            #expect(try !ledger.violations(node.connect()).isEmpty)
        }

        private static func positions(_ calls: Shim.Calls) -> [Int] {
            switch calls {
            case .sync: CrashForm.pick(short: [1, 3, 9, 40], long: Array(1...120))
            case .write: CrashForm.pick(short: [2, 7, 31], long: Array(stride(from: 1, through: 120, by: 2)))
            }
        }

        /// Starts the node with a call that will fail, and waits until that has ended it.
        private func fail(_ node: DaemonProcess, _ code: Int32, _ calls: Shim.Calls, at number: Int) throws {
            let note = sandbox.newFolder("note")
            try node.start(
                environment: Shim.environment(.fail(code), calls, at: number, in: node.settings.directory, note: note))
            try eventually("call \(number) fails", within: .seconds(40)) { readText(note).isEmpty ? nil : () }
            try waitForEnd(of: node, note)
        }

        /// The call that is noted has failed.
        private func waitForEnd(of node: DaemonProcess, _ note: String) throws {
            let what = readText(note)
            let exit: ChildProcess.Exit
            do { exit = try node.current.wait(within: .seconds(20)) } catch {
                throw TestFailure("the node goes on after \(what)")
            }
            #expect(!what.isEmpty, "\(exit) without a failing call")
            #expect(Self.ends.contains(exit), "\(exit) after \(what): \(node.lastWord)")
        }
    }
}
