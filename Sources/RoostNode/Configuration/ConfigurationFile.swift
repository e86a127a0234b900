import Glibc
import TOMLKit

/// A TOML file, taken apart into one assignment per setting. What is not a setting, or has a value of the wrong kind,
/// is a problem with the line on which it stands.
package struct ConfigurationFile: Sendable {
    struct Assignment: Sendable {
        var setting: Setting
        /// As a flag would have it.
        var text: String
        var source: ConfigurationSource
    }

    private(set) var assignments: [Assignment] = []
    private(set) var problems: [ConfigurationError.Problem] = []

    private let path: String

    /// - Parameter path: only named in messages; the file is not opened.
    package init(path: String, text: String) {
        self.path = path
        if text.utf8.contains(0) {
            report("not a text file: it holds a zero byte", line: nil)
            return
        }
        do {
            let root = try TOMLTable(string: text)
            // Everything taken out of the table points into it.
            withExtendedLifetime(root) { read(root, KeyLines(text)) }
        } catch let error as TOMLParseError {
            report("not valid TOML: \(error.description)", line: error.source.begin.line)
        } catch {
            report("not valid TOML: \(error)", line: nil)
        }
    }

    /// Reads and takes apart the file; what is wrong inside is reported by `EffectiveConfiguration`.
    /// - Throws: a failure with code 77 when the file may not be read, else 78.
    package static func read(path: String) throws(NodeFailure) -> ConfigurationFile {
        let bytes: [UInt8]
        do {
            bytes = try FileBytes.read(path, limit: 1 << 20)
        } catch {
            throw NodeFailure(
                error.isPermission ? .permission : .configuration, cause: "--config \(path): \(error)",
                remedy: "name a TOML file that this user may read")
        }
        return ConfigurationFile(path: path, text: String(decoding: bytes, as: UTF8.self))
    }

    private mutating func read(_ root: TOMLTable, _ lines: KeyLines) {
        for section in root.keys.sorted() {
            guard Setting.sections.contains(where: { $0.name == section }) else {
                let known = Setting.sections.map { "[\($0.name)]" }.joined(separator: " ")
                report("unknown section [\(section)]; expected one of \(known)", line: lines.line(of: [section]))
                continue
            }
            guard let table = root[section]?.table else {
                report("\(section) must be a section, [\(section)]", line: lines.line(of: [section]))
                continue
            }
            for key in table.keys.sorted() {
                guard let value = table[key] else { continue }
                read(value, section: section, key: key, line: lines.line(of: [section, key]))
            }
        }
    }

    private mutating func read(_ value: any TOMLValueConvertible, section: String, key: String, line: Int?) {
        guard let setting = Setting.named("\(section).\(key)") else {
            return report(
                UnknownName.sentence("key \(section).\(key)", key, among: Setting.keys(of: section)), line: line)
        }
        let (kind, text) = Self.scalar(value)
        guard setting.tomlKinds.contains(kind), let text else {
            return report("\(setting.name) = \(value.debugDescription): expected \(setting.expected)", line: line)
        }
        assignments.append(Assignment(setting: setting, text: text, source: .file(path: path, line: line)))
    }

    /// A TOML value as the text that a flag would have; no text for kinds that no flag has.
    private static func scalar(_ value: any TOMLValueConvertible) -> (TOMLKind, String?) {
        if let string = value.string { return (.string, string) }
        if let integer = value.int { return (.integer, "\(integer)") }
        if let boolean = value.bool { return (.boolean, "\(boolean)") }
        guard let table = value.table else { return (.other, nil) }
        let pairs = table.keys.map { key in table[key]?.string.map { "\(key)=\($0)" } }
        return (.table, pairs.contains(nil) ? nil : pairs.compactMap(\.self).joined(separator: ","))
    }

    private mutating func report(_ message: String, line: Int?) {
        problems.append(.init(source: .file(path: path, line: line), message: message))
    }
}

extension Setting {
    static func keys(of section: String) -> [String] {
        all.filter { $0.section == section }.map(\.key)
    }
}
