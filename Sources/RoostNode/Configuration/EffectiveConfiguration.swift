/// The configuration that results from all sources, and where each value came from.
package struct EffectiveConfiguration: Sendable {
    package private(set) var configuration = NodeConfiguration()
    /// By `Setting.name`; what is absent has its default.
    package private(set) var sources: [String: ConfigurationSource] = [:]

    /// A value given on the command line.
    package struct Flag: Sendable {
        package var setting: Setting
        package var text: String

        package init(setting: Setting, text: String) {
            self.setting = setting
            self.text = text
        }
    }

    /// Flags win over the environment, the environment over the file, the file over the defaults.
    ///
    /// A bad value is a problem even where another source overrides it: it would bite later, when nobody remembers it.
    /// - Throws: all problems found; how values fit together is looked at only when each is right by itself.
    package init(
        flags: [Flag] = [], environment: [String: String] = [:], file: ConfigurationFile? = nil
    ) throws(ConfigurationError) {
        var problems = file?.problems ?? []
        for assignment in file?.assignments ?? [] {
            set(assignment.setting, assignment.text, assignment.source, &problems)
        }
        problems.sort { ($0.source.line ?? 0) < ($1.source.line ?? 0) }
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("ROOST_") {
            if Self.variablesOfOthers.contains(name) { continue }
            if let setting = Setting.all.first(where: { $0.environmentName == name }) {
                set(setting, text, .environment(name), &problems)
            } else {
                let known = Setting.all.map(\.environmentName)
                problems.append(
                    .init(source: .environment(name), message: UnknownName.sentence("variable", name, among: known)))
            }
        }
        for flag in flags {
            set(flag.setting, flag.text, .flag(flag.setting.flag), &problems)
        }
        if problems.isEmpty { problems = ConfigurationChecks(self).problems }
        if !problems.isEmpty { throw ConfigurationError(problems) }
    }

    /// Variables of the same prefix that are not the daemon's: roostctl's nodes, switches of the build and the tests.
    private static let variablesOfOthers: Set = ["ROOST_NODES", "ROOST_STRICT", "ROOST_LONG"]

    private mutating func set(
        _ setting: Setting, _ text: String, _ source: ConfigurationSource,
        _ problems: inout [ConfigurationError.Problem]
    ) {
        if setting.store(text, &configuration) {
            sources[setting.name] = source
        } else {
            let value = text.quoted
            problems.append(
                .init(source: source, message: "\(setting.name) = \(value): expected \(setting.expected)"))
        }
    }
}
