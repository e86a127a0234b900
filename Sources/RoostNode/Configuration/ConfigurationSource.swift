/// Where a value came from.
package enum ConfigurationSource: Hashable, Sendable {
    case defaults
    /// `line` is nil when it could not be told.
    case file(path: String, line: Int?)
    /// The name of the variable.
    case environment(String)
    /// The flag without its dashes.
    case flag(String)

    /// The line in the file; nil for other sources.
    var line: Int? {
        if case .file(_, let line) = self { line } else { nil }
    }
}

extension ConfigurationSource: CustomStringConvertible {
    package var description: String {
        switch self {
        case .defaults: "default"
        case .file(let path, let line?): "\(path):\(line)"
        case .file(let path, nil): path
        case .environment(let name): name
        case .flag(let name): "--\(name)"
        }
    }
}
