/// Sizes as people write them. Powers of 1024 only: `KiB` is the same for everybody, `K` and `KB` are not.
enum ByteSize {
    private static let units: [(name: String, shift: Int)] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)]

    /// `64MiB`, `512B` or a bare number of bytes; nil for anything else, and for what does not fit.
    static func parse(_ text: String) -> Int? {
        let unit = units.first { text.hasSuffix($0.name) }
        guard let number = SettingText.wholeNumber(text.dropLast(unit?.name.count ?? 0)) else { return nil }
        let (size, overflow) = number.multipliedReportingOverflow(by: 1 << (unit?.shift ?? 0))
        return overflow ? nil : size
    }

    /// For people: whole numbers of the largest unit of which there are ten, or of bytes.
    static func rounded(_ size: UInt64) -> String {
        let unit = units.first { size >= 10 << UInt64($0.shift) } ?? ("B", 0)
        return "\(size >> UInt64(unit.shift)) \(unit.name)"
    }

    /// In the largest unit that expresses the size exactly.
    static func text(_ size: Int) -> String {
        guard size > 0, let unit = units.first(where: { size & ((1 << $0.shift) - 1) == 0 }) else { return "\(size)B" }
        return "\(size >> unit.shift)\(unit.name)"
    }
}
