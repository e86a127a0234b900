import ArgumentParser

/// Why a command ends without its result: one sentence for people, one exit code for scripts.
struct Failure: Error, CustomStringConvertible {
    /// Documented in the help of `roostctl` itself.
    enum Code: Int32 {
        case refused = 3
        case unavailable = 4
        case outcomeUnknown = 5
        case wrongCluster = 6
    }

    var code: Code
    /// What happened and what to do next.
    var description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Prints the sentence and gives the error that makes ArgumentParser exit with the code, silently.
    func report() -> ExitCode {
        Console.error("roostctl: \(description)")
        return ExitCode(code.rawValue)
    }
}

/// Runs the body of a verb and turns its `Failure` into a last line and an exit code.
func reportingFailure(_ body: () throws -> Void) throws {
    do { try body() } catch let failure as Failure { throw failure.report() }
}
