/// Writes requests as clients send them: an array of bulk strings.
extension ReplySink {
    /// One command with its arguments, the command's name first.
    package mutating func writeRequest(_ arguments: [[UInt8]]) {
        writeArrayHeader(arguments.count)
        for argument in arguments { argument.withUnsafeBytes { writeBulk($0) } }
    }

    /// One command with its arguments as UTF-8 text, the command's name first.
    package mutating func writeRequest(_ arguments: [String]) {
        writeArrayHeader(arguments.count)
        for argument in arguments { writeBulk(argument) }
    }
}
