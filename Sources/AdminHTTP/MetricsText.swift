/// Writes metrics in the Prometheus text format, version 0.0.4. A hundred lines of our own: the daemon needs three
/// types of metrics and one format, and every client library would bring a registry that the counters would have to
/// live in.
///
/// Samples of one family may come in several calls, with other families between: they stand together in the text,
/// under one HELP and one TYPE line, as the format demands.
package struct MetricsText: Sendable {
    /// One label; the value may hold anything.
    package typealias Label = (name: String, value: String)

    /// What a histogram has counted: cumulative buckets in ascending order, the one without bound left out.
    package struct Histogram: Hashable, Sendable {
        package struct Bucket: Hashable, Sendable {
            /// Inclusive, in the unit of the family (base units: seconds, bytes).
            package var upperBound: Double
            /// Events in this bucket and all below it.
            package var cumulativeCount: UInt64

            package init(upperBound: Double, cumulativeCount: UInt64) {
                self.upperBound = upperBound
                self.cumulativeCount = cumulativeCount
            }
        }

        package var buckets: [Bucket]
        /// All events; at least the last bucket's count.
        package var count: UInt64
        package var sum: Double

        package init(buckets: [Bucket], count: UInt64, sum: Double) {
            self.buckets = buckets
            self.count = count
            self.sum = sum
        }
    }

    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var families: [String] = []
    private var position: [String: Int] = [:]

    package init() {}

    /// The whole text, families in the order of their first sample.
    package var text: String { families.joined() }

    /// A number of things since the process started. The name ends in `_total`.
    package mutating func counter(_ name: String, _ help: String, _ value: some BinaryInteger, labels: [Label] = []) {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total: \(name)")
        append(Self.sample(name, labels, String(value)), to: family(name, "counter", help))
    }

    /// A whole number that goes up and down.
    package mutating func gauge(_ name: String, _ help: String, _ value: some BinaryInteger, labels: [Label] = []) {
        append(Self.sample(name, labels, String(value)), to: family(name, "gauge", help))
    }

    /// A measured value that goes up and down.
    package mutating func gauge(_ name: String, _ help: String, _ value: Double, labels: [Label] = []) {
        append(Self.sample(name, labels, Self.number(value)), to: family(name, "gauge", help))
    }

    /// How values are spread. `labels` must not hold `le`.
    package mutating func histogram(_ name: String, _ help: String, _ value: Histogram, labels: [Label] = []) {
        let family = family(name, "histogram", help)
        for bucket in value.buckets {
            let bounded = labels + [(name: "le", value: Self.number(bucket.upperBound))]
            append(Self.sample("\(name)_bucket", bounded, String(bucket.cumulativeCount)), to: family)
        }
        let unbounded = labels + [(name: "le", value: "+Inf")]
        append(Self.sample("\(name)_bucket", unbounded, String(value.count)), to: family)
        append(Self.sample("\(name)_sum", labels, Self.number(value.sum)), to: family)
        append(Self.sample("\(name)_count", labels, String(value.count)), to: family)
    }

    private mutating func append(_ sample: String, to family: Int) {
        families[family] += sample
    }

    /// Where the family's lines are collected; its first use writes the two lines that describe it.
    private mutating func family(_ name: String, _ type: String, _ help: String) -> Int {
        if let known = position[name] { return known }
        precondition(Self.isName(name), "not a metric name: \(name)")
        position[name] = families.count
        families.append("# HELP \(name) \(Self.escape(help, quotes: false))\n# TYPE \(name) \(type)\n")
        return families.count - 1
    }

    private static func sample(_ name: String, _ labels: [Label], _ value: String) -> String {
        if labels.isEmpty { return "\(name) \(value)\n" }
        let list = labels.map { label in
            precondition(isName(label.name), "not a label name: \(label.name)")
            return "\(label.name)=\"\(escape(label.value, quotes: true))\""
        }
        return "\(name){\(list.joined(separator: ","))} \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return "\(value)"
    }

    /// Backslash and newline, and inside quotes the quote.
    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: ":"): true
            default: false
            }
        }
    }
}
