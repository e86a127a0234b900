/// One thing that can be set: what it is called in each source, how it is written, where its value lives.
///
/// `Setting.all` is the only list of settings. Flags, environment names, TOML keys, `--print-config` and help are all
/// made from it, so they cannot drift apart.
package struct Setting: Sendable {
    /// The TOML section, e.g. `raft`.
    package let section: String
    /// The key within it, e.g. `election_timeout`.
    package let key: String
    /// The flag without its dashes, e.g. `election-timeout`.
    package let flag: String
    /// What stands for the value in help, e.g. `TIME`.
    package let placeholder: String
    /// One sentence or two, for help and for the printed file.
    package let documentation: String

    /// Completes "expected …" in a sentence about a bad value.
    let expected: String
    let tomlKinds: Set<TOMLKind>
    /// Stores the parsed text; false when it is not a value of this setting.
    let store: @Sendable (_ text: String, inout NodeConfiguration) -> Bool
    /// The current value as a TOML literal; nil when it is not set.
    let literal: @Sendable (NodeConfiguration) -> String?

    /// - Parameter flag: the key with dashes unless that would be ambiguous between sections.
    init<Value>(
        _ section: String, _ key: String, _ field: any WritableKeyPath<NodeConfiguration, Value> & Sendable,
        _ format: ValueFormat<Value>, flag: String? = nil, _ documentation: String
    ) {
        self.section = section
        self.key = key
        self.flag = flag ?? String(key.map { $0 == "_" ? "-" : $0 })
        self.documentation = documentation
        name = "\(section).\(key)"
        environmentName = "ROOST_\(section)_\(key)".uppercased()
        defaultLiteral = format.literal(NodeConfiguration()[keyPath: field])
        placeholder = format.placeholder
        expected = format.expected
        tomlKinds = format.tomlKinds
        store = { text, configuration in
            guard let value = format.parse(text) else { return false }
            configuration[keyPath: field] = value
            return true
        }
        literal = { format.literal($0[keyPath: field]) }
    }

    /// Section and key as messages show them: `raft.election_timeout`.
    package let name: String

    /// `ROOST_RAFT_ELECTION_TIMEOUT`.
    package let environmentName: String

    /// The default as a TOML literal; nil when the setting is not set by default.
    package let defaultLiteral: String?

    /// The default as a flag would have it; nil when the setting is empty or not set by default.
    package var defaultText: String? {
        switch defaultLiteral {
        case "true": "yes"
        case "false": "no"
        case "{}", "\"\"", nil: nil
        case let literal?: literal.first == "\"" ? String(literal.dropFirst().dropLast()) : literal
        }
    }
}
