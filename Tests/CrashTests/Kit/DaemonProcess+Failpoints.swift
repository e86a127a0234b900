import RESP

extension DaemonProcess {
    /// For nodes that shall fail on purpose.
    static let harmable = ["--fault-injection", "yes"]

    /// Sends `ROOST.DEBUG FAILPOINT words`.
    func order(_ words: String...) throws -> Reply { try connect().call(["ROOST.DEBUG", "FAILPOINT"] + words) }

    /// Orders a crash at a place, from the pass after the first `after` on.
    func arm(_ place: String, _ action: String = "crash", after: Int = 0) throws {
        let reply = try connect().call(["ROOST.DEBUG", "FAILPOINT", "SET", place, action, "after", "\(after)"])
        guard reply == .ok else { throw TestFailure("SET \(place): \(reply)") }
    }

    /// Starts with an order for a place that may be passed before any command is taken.
    func start(armed place: String, _ action: String = "crash") throws {
        try start(adding: Self.harmable + ["--failpoints", "\(place) \(action)"])
    }

    /// Waits until what was ordered there has ended the process: a crash, or an error of the storage.
    func waitForEnd(at place: String, by action: String) throws {
        guard action == "error" else { return try waitForCrash(at: place) }
        let exit: ChildProcess.Exit
        do { exit = try current.wait(within: .seconds(30)) } catch {
            throw TestFailure("node \(node) goes on after an error at \(place), or never passed it")
        }
        guard exit == .code(74), lastWord.contains("failpoint \(place)") else {
            throw TestFailure("node \(node) ended with \(exit) instead of 74 for \(place): \(lastWord)")
        }
    }

    /// Waits until the process has crashed at the failpoint by itself.
    func waitForCrash(at place: String, within limit: Duration = .seconds(30)) throws {
        let exit: ChildProcess.Exit
        do { exit = try current.wait(within: limit) } catch { throw TestFailure("node \(node) never passed \(place)") }
        // Another thread may have said something in the very last moment.
        let lastLines = log.split(separator: "\n").suffix(6)
        guard exit == .signal(9), lastLines.contains("failpoint \(place): crash") else {
            throw TestFailure("node \(node) ended with \(exit) instead of crashing at \(place)")
        }
    }
}
