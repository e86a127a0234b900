/// A size that is given, or follows from what the node finds.
package enum ByteLimit: Hashable, Sendable {
    case automatic
    case bytes(Int)
}

extension ValueFormat where Value == ByteLimit {
    /// `auto`, or a size; 0 is a size too.
    static let byteLimit = ValueFormat(
        placeholder: "SIZE|auto", expected: "auto, or a size such as 64MiB (units B, KiB, MiB, GiB) up to 1024GiB",
        tomlKinds: [.string, .integer],
        parse: { text in
            if text == "auto" { return .automatic }
            return ByteSize.parse(text).flatMap { $0 <= 1 << 40 ? .bytes($0) : nil }
        },
        literal: { limit in
            switch limit {
            case .automatic: "auto".quoted
            case .bytes(let count): ByteSize.text(count).quoted
            }
        })
}
