/// Writes a configuration as the TOML file that would give it, with a comment for every key.
package enum ConfigurationPrinter {
    /// Parses back to the same configuration.
    package static func toml(_ effective: EffectiveConfiguration) -> String {
        var text = comment(
            """
            The effective configuration of roostd \(RoostVersion.current). Flags win over the environment, the \
            environment over the file, the file over the defaults.
            """)
        for section in Setting.sections {
            text += "\n" + comment(section.documentation) + "[\(section.name)]\n"
            for setting in Setting.all where setting.section == section.name {
                text += "\n" + entry(setting, effective)
            }
        }
        return text
    }

    private static func entry(_ setting: Setting, _ effective: EffectiveConfiguration) -> String {
        let source = effective.sources[setting.name].map { "; here from \($0)" } ?? ""
        let names = "--\(setting.flag) \(setting.placeholder), \(setting.environmentName)"
        let fallback = "default \(setting.defaultLiteral ?? "not set")"
        let assignment = setting.literal(effective.configuration).map { "\(setting.key) = \($0)\n" }
        return comment(setting.documentation) + comment("\(names); \(fallback)\(source).")
            + (assignment ?? "# \(setting.key) = \"\(setting.placeholder)\"\n")
    }

    /// Comment lines of at most 100 columns.
    private static func comment(_ text: String) -> String {
        var lines = ["#"]
        for word in text.split(whereSeparator: \.isWhitespace) {
            if lines[lines.count - 1].count + word.count >= 100 { lines.append("#") }
            lines[lines.count - 1] += " \(word)"
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
