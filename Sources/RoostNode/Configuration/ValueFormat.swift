/// How one kind of value is written: in flags, in the environment, and in TOML.
struct ValueFormat<Value: Sendable>: Sendable {
    /// What stands for the value in help: `SIZE`.
    var placeholder: String
    /// Completes "expected …" in a sentence about a bad value.
    var expected: String
    /// The kinds of TOML value that are taken; each is turned into the text that a flag would have.
    var tomlKinds: Set<TOMLKind>
    /// Nil when the text is not such a value.
    var parse: @Sendable (String) -> Value?
    /// The value as a TOML literal that parses back to it; nil when it is not set.
    var literal: @Sendable (Value) -> String?
}

/// The kinds of TOML value that settings use.
package enum TOMLKind: String, Hashable, Sendable {
    case string, integer, boolean, table
    /// Floats, dates, arrays: no setting takes them.
    case other
}

extension ValueFormat where Value == String {
    /// A path, absolute or relative to the working directory.
    static let path = ValueFormat(
        placeholder: "DIR", expected: "a path", tomlKinds: [.string],
        parse: { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }, literal: { $0.quoted })

    /// A name that fits into file names, metrics labels and log lines as it is.
    static let name = ValueFormat(
        placeholder: "NAME", expected: "1 to 64 letters, digits, dots, dashes or underscores", tomlKinds: [.string],
        parse: { (1...64).contains($0.utf8.count) && $0.utf8.allSatisfy(SettingText.isNameByte) ? $0 : nil },
        literal: { $0.quoted })
}

extension ValueFormat where Value == Bool {
    static let boolean = ValueFormat(
        placeholder: "yes|no", expected: "yes or no (in TOML: true or false)", tomlKinds: [.boolean],
        parse: { text in
            switch text {
            case "yes", "true": true
            case "no", "false": false
            default: nil
            }
        }, literal: { $0 ? "true" : "false" })
}

extension ValueFormat where Value == UInt64 {
    static let nodeID = ValueFormat(
        placeholder: "N", expected: "a whole number from 1", tomlKinds: [.integer],
        parse: { text in SettingText.wholeNumber(text).flatMap { $0 == 0 ? nil : UInt64($0) } },
        literal: { "\($0)" })
}

extension ValueFormat where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> ValueFormat {
        ValueFormat(
            placeholder: "N", expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            tomlKinds: [.integer],
            parse: { text in SettingText.wholeNumber(text).flatMap { range.contains($0) ? $0 : nil } },
            literal: { "\($0)" })
    }

    /// Bytes; a number without unit is bytes too. At most 1 TiB.
    static func bytes(from minimum: Int = 1) -> ValueFormat {
        let range = minimum...(1 << 40)
        return ValueFormat(
            placeholder: "SIZE",
            expected: "a size such as 64MiB (units B, KiB, MiB, GiB) from \(ByteSize.text(minimum)) to 1024GiB",
            tomlKinds: [.string, .integer],
            parse: { text in ByteSize.parse(text).flatMap { range.contains($0) ? $0 : nil } },
            literal: { ByteSize.text($0).quoted })
    }
}

extension ValueFormat where Value == Duration {
    /// Above zero and up to a day.
    static let duration = ValueFormat(
        placeholder: "TIME", expected: "a time such as 300ms (units us, ms, s, m, h), above 0 and up to 24h",
        tomlKinds: [.string],
        parse: { text in DurationText.parse(text).flatMap { $0 > .zero && $0 <= .seconds(86_400) ? $0 : nil } },
        literal: { DurationText.text($0).quoted })
}

extension ValueFormat where Value == HostPort {
    /// Where to listen: port 0 picks a free one.
    static let listenAddress = ValueFormat(
        placeholder: "HOST:PORT", expected: "HOST:PORT or [IPV6]:PORT, with a port from 0 to 65535",
        tomlKinds: [.string], parse: { HostPort($0) }, literal: { "\($0)".quoted })
}

extension ValueFormat where Value == HostPort? {
    /// What others dial, if it differs from where this node listens.
    static let advertisedAddress = ValueFormat(
        placeholder: "HOST:PORT", expected: "HOST:PORT that others can dial, with a port from 1 to 65535",
        tomlKinds: [.string],
        parse: { text in HostPort(text).flatMap { $0.port == 0 || $0.isWildcard ? nil : .some($0) } },
        literal: { $0.map { "\($0)".quoted } })
}

extension ValueFormat where Value == [UInt64: HostPort] {
    /// `1=HOST:PORT,2=HOST:PORT`; in TOML also a table. Empty: none.
    static let peers = ValueFormat(
        placeholder: "ID=HOST:PORT,…",
        expected: "members such as 1=10.0.0.1:7400,2=10.0.0.2:7400 (in TOML also a table), each id once, from 1",
        tomlKinds: [.string, .table], parse: parsePeers,
        literal: { peers in
            if peers.isEmpty { return "{}" }
            let list = peers.sorted { $0.key < $1.key }.map { "\($0.key) = \("\($0.value)".quoted)" }
            return "{ \(list.joined(separator: ", ")) }"
        })

    private static func parsePeers(_ text: String) -> [UInt64: HostPort]? {
        if text.isEmpty { return [:] }
        var peers: [UInt64: HostPort] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let id = ValueFormat<UInt64>.nodeID.parse(String(pair[0])),
                let address = HostPort(String(pair[1])), address.port != 0, !address.isWildcard,
                peers.updateValue(address, forKey: id) == nil
            else { return nil }
        }
        return peers
    }
}

extension ValueFormat
where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String, Value.AllCases: Sendable {
    /// One of a few words.
    static var choice: ValueFormat {
        let words = Value.allCases.map(\.rawValue)
        return ValueFormat(
            placeholder: words.joined(separator: "|"), expected: "one of \(words.joined(separator: ", "))",
            tomlKinds: [.string], parse: { Value(rawValue: $0) }, literal: { $0.rawValue.quoted })
    }
}
