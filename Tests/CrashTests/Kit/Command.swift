import Foundation

/// Runs a tool of the system to its end.
///
/// - Throws: `TestFailure` with its output if it fails.
@discardableResult
func run(_ tool: String, _ arguments: String...) throws -> String {
    guard
        let path = Binaries.installed(tool) ?? ["/usr/sbin", "/sbin"].map({ "\($0)/\(tool)" }).first(where: isProgram)
    else { throw TestFailure("\(tool) is not installed") }
    let output = NSTemporaryDirectory() + "/roost-tool-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: output) }
    let process = try ChildProcess([path] + arguments, environment: Binaries.environment, output: output)
    let exit = try process.wait(within: .seconds(60))
    let text = readText(output)
    guard exit == .code(0) else {
        throw TestFailure("\(tool) \(arguments.joined(separator: " ")): \(exit): \(text)")
    }
    return text
}

private func isProgram(_ path: String) -> Bool { access(path, X_OK) == 0 }
