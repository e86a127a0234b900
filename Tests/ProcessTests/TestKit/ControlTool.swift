/// Runs of `roostctl`.
struct ControlTool {
    let sandbox: Sandbox
    /// Those it is told of.
    let ports: [UInt16]

    struct Run {
        let exit: ChildProcess.Exit
        let output: String
        let errors: String
    }

    func callAsFunction(_ arguments: String...) throws -> Run {
        let (output, errors) = (sandbox.newFolder("stdout"), sandbox.newFolder("stderr"))
        let nodes = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        let process = try ChildProcess(
            [Binaries.roostctl, "--nodes", nodes] + arguments, environment: Binaries.environment, output: output,
            errors: errors)
        sandbox.adopt(process)
        sandbox.adoptLog(errors, title: "roostctl \(arguments.joined(separator: " "))")
        return Run(
            exit: try process.wait(), output: readText(output), errors: readText(errors))
    }
}
