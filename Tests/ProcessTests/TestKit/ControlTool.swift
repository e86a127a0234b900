/// Runs of `roostctl`.
struct ControlTool {
    let sandbox: Sandbox
    /// Those it is told of.
    let ports: [UInt16]

    func callAsFunction(_ arguments: String...) throws -> ProgramRun {
        let nodes = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        return try sandbox.run([Binaries.roostctl, "--nodes", nodes] + arguments)
    }
}
