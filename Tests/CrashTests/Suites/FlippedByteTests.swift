import Foundation
import Testing

extension CrashTests {
    /// A bit turns in any file of the data directory. Whatever the node does then, it never gives a wrong answer and
    /// never hangs: it stops and says what is damaged, or the damage does not matter.
    @Suite("Flipped bytes") struct FlippedByteTests {
        private let sandbox = Sandbox.current!

        /// What came of a flip.
        private enum Fate: CustomStringConvertible {
            case harmless
            /// It gave up what was damaged, and the others made good for it.
            case repaired
            case stopped(ChildProcess.Exit, isNamed: Bool)

            var description: String {
                switch self {
                case .harmless: "harmless"
                case .repaired: "repaired from the others"
                case .stopped(let exit, let isNamed): "\(exit)\(isNamed ? ", file named" : "")"
                }
            }
        }

        @Test(arguments: [SIGKILL, SIGTERM])
        func `one node, stopped so`(end: Int32) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 7_000 + UInt64(end))
            let node = try DaemonProcess.single(sandbox, arguments: DaemonProcess.restless)
            var specimen = Specimen()
            try specimen.fill(node)
            try stop(node, end)
            let master = try preserve(node)
            var fates: [String: Int] = [:]
            let flips = CrashForm.pick(short: 12, long: 120)
            for number in 1...flips {
                sayProgress("flips", number, of: flips)
                try restore(node, from: master)
                let flip = try Flip(in: node.settings.directory, &random)
                try flip.perform()
                try node.start()
                let fate = try fate(of: node, flip, specimen)
                judge(fate, flip, node)
                fates["\(flip.kind): \(fate)", default: 0] += 1
                try node.kill()
            }
            report("one node after signal \(end)", fates)
        }

        /// Two nodes are whole: they serve, and the third stops or serves what is right.
        @Test func `one of three nodes`() throws {
            var random = SplitMix64(seed: CrashForm.seed &* 8_000)
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless)
            var specimen = Specimen()
            try specimen.fill(cluster.nodes[0])
            for node in cluster.nodes { try node.kill() }
            let masters = try cluster.nodes.map(preserve)
            var fates: [String: Int] = [:]
            let flips = CrashForm.pick(short: 5, long: 80)
            for round in 1...flips {
                sayProgress("flips, one of three", round, of: flips)
                for (node, master) in zip(cluster.nodes, masters) { try restore(node, from: master) }
                let victim = cluster.nodes[round % 3]
                let flip = try Flip(in: victim.settings.directory, &random)
                try flip.perform()
                for node in cluster.nodes { try node.start() }
                let fate = try fate(of: victim, flip, specimen)
                judge(fate, flip, victim)
                fates["\(flip.kind): \(fate)", default: 0] += 1
                for node in cluster.nodes where node !== victim {
                    try node.waitUntilServing()
                    #expect(specimen.wrongAnswers(at: node) == [], "\(flip)")
                }
                for node in cluster.nodes { try node.kill() }
            }
            report("one of three nodes", fates)
        }

        /// The negative control: with a RocksDB that can't tell damage, wrong answers or worse must come out.
        @Test(.enabled(if: Shim.isAvailable)) func `a node that does not check is found out`() throws {
            var random = SplitMix64(seed: CrashForm.seed &* 9_000)
            let node = try DaemonProcess.withoutPortClashes {
                var settings = try DaemonProcess.Settings(sandbox)
                settings.arguments = DaemonProcess.restless
                settings.environment = try Shim.blindness()
                return [DaemonProcess(settings, sandbox: sandbox)]
            }[0]
            try node.waitUntilServing()
            var specimen = Specimen()
            try specimen.fill(node)
            try stop(node, SIGTERM)
            let master = try preserve(node)
            var found: [String] = []
            for _ in 1...60 where found.isEmpty {
                try restore(node, from: master)
                let flip = try Flip(in: node.settings.directory, &random)
                try flip.perform()
                try node.start()
                _ = try node.servesOrEnds()
                found = specimen.wrongAnswers(at: node)
                try node.kill()
            }
            #expect(!found.isEmpty)
            say("without checksums: \(found.first ?? "nothing was found")")
        }

        // MARK: - Directories

        private func stop(_ node: DaemonProcess, _ signal: Int32) throws {
            try node.current.send(signal)
            try node.current.wait(within: .seconds(20))
        }

        private func preserve(_ node: DaemonProcess) throws -> String {
            let master = sandbox.newFolder("master")
            try run("cp", "-a", node.settings.directory, master)
            return master
        }

        private func restore(_ node: DaemonProcess, from master: String) throws {
            // A file IDENTITY of its own would make it a copy, which no node starts on.
            let directory = node.settings.directory
            try run(
                "find", directory, "-mindepth", "1", "-maxdepth", "1", "!", "-name", "IDENTITY", "-exec", "rm", "-rf",
                "{}", "+")
            try run("cp", "-a", master + "/.", directory)
        }

        // MARK: - Verdicts

        /// Waits until the node has ended or has answered everything.
        ///
        /// - Parameter isAgain: it has been started again, after the order to end met it in its own restart for a repair.
        private func fate(
            of node: DaemonProcess, _ flip: Flip, _ specimen: Specimen, isAgain: Bool = false
        ) throws -> Fate {
            let repairs = node.repairs
            if try node.servesOrEnds() {
                let wrong = specimen.wrongAnswers(at: node)
                #expect(wrong == [], "\(flip)")
                // Neither a write nor the orderly end with its flush may bring about anything else.
                if node.isRunning { _ = try? node.connect(timeout: .seconds(10))("DEL", "no such key") }
                if node.isRunning { try node.current.send(SIGTERM) }
                let exit = try node.current.wait(within: .seconds(20))
                if exit == .code(0) { return node.repairs > repairs || isAgain ? .repaired : .harmless }
                if exit == .signal(SIGTERM), !isAgain, node.lastWord.contains("beginning anew") {
                    // A process that has only just begun ends as any process does.
                    try node.start()
                    return try fate(of: node, flip, specimen, isAgain: true)
                }
                return .stopped(exit, isNamed: isNamed(flip, node))
            }
            return .stopped(try #require(node.current.ended), isNamed: isNamed(flip, node))
        }

        private func isNamed(_ flip: Flip, _ node: DaemonProcess) -> Bool {
            node.lastWord.contains(flip.name)
        }

        private func judge(_ fate: Fate, _ flip: Flip, _ node: DaemonProcess) {
            guard case .stopped(let exit, let isNamed) = fate else { return }
            #expect(exit == .code(65), "\(flip): \(node.lastWord)")
            // The short form looks for wrong answers and hangs; what the last line names, the long one checks.
            guard CrashForm.current == .long else { return }
            let mustName: Set<FileKind> = [.log, .table, .manifest, .current, .identity]
            #expect(isNamed || !mustName.contains(flip.kind), "\(flip): \(node.lastWord)")
        }

        private func report(_ what: String, _ fates: [String: Int]) {
            say("flips, \(what): \(fates.values.reduce(0, +))")
            for (fate, count) in fates.sorted(by: { $0.key < $1.key }) { say("    \(count) \(fate)") }
        }
    }
}
