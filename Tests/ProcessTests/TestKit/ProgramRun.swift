/// How a program ended, and what it said.
struct ProgramRun: CustomStringConvertible {
    let exit: ChildProcess.Exit
    let output: String
    let errors: String
    var lastLine: String { errors.split(separator: "\n").last.map(String.init) ?? "" }
    var description: String { "\(exit), output: \(output), last line of errors: \(lastLine)" }
}

extension Sandbox {
    /// Runs a program to its end; what it writes to its errors is printed if the test fails.
    ///
    /// - Parameter environment: beside what every child may see.
    func run(_ command: [String], environment: [String: String] = [:]) throws -> ProgramRun {
        let (output, errors) = (newFolder("stdout"), newFolder("stderr"))
        let process = try ChildProcess(
            command, environment: Binaries.environment.merging(environment) { $1 }, output: output, errors: errors)
        adopt(process)
        let program = command[0].split(separator: "/").last ?? ""
        adoptLog(errors, title: ([String(program)] + command.dropFirst()).joined(separator: " "))
        return ProgramRun(exit: try process.wait(), output: readText(output), errors: readText(errors))
    }
}
