import ArgumentParser

/// What the operations of a workload are. The letters are those of YCSB (Cooper et al., "Benchmarking Cloud Serving
/// Systems with YCSB", 2010); E needs scans, which Roost does not have.
enum Traffic: String, Codable, CaseIterable, Sendable {
    case write
    case read
    case mixed50 = "mixed-50-50"
    case mixed95 = "mixed-95-5"
    case ycsbA = "ycsb-a"
    case ycsbB = "ycsb-b"
    case ycsbC = "ycsb-c"
    case ycsbD = "ycsb-d"
    case ycsbF = "ycsb-f"
    /// Every key once, in order: what stands in the store before a measurement.
    case fill

    /// Per hundred operations; the rest is updates of existing keys.
    var reads: Int {
        switch self {
        case .write, .fill: 0
        case .read, .ycsbC: 100
        case .mixed50, .ycsbA, .ycsbF: 50
        case .mixed95, .ycsbB, .ycsbD: 95
        }
    }

    /// Whether what is not a read writes a new key.
    var inserts: Bool { self == .ycsbD }

    /// Whether what is not a read reads a key and then writes it.
    var modifies: Bool { self == .ycsbF }

    /// Whether keys must have been written before.
    var needsRecords: Bool { reads > 0 }

    /// YCSB's distribution for its letters.
    var usualKeys: KeyDistribution {
        switch self {
        case .ycsbA, .ycsbB, .ycsbC, .ycsbD, .ycsbF: .zipf
        case .write, .read, .mixed50, .mixed95, .fill: .uniform
        }
    }

    var title: String {
        switch self {
        case .write: "durable writes"
        case .read: "reads"
        case .mixed50: "50 % reads, 50 % writes"
        case .mixed95: "95 % reads, 5 % writes"
        case .ycsbA: "YCSB A: 50 % reads, 50 % updates"
        case .ycsbB: "YCSB B: 95 % reads, 5 % updates"
        case .ycsbC: "YCSB C: reads"
        case .ycsbD: "YCSB D: 95 % reads of the latest, 5 % inserts"
        case .ycsbF: "YCSB F: 50 % reads, 50 % read-modify-writes"
        case .fill: "filling"
        }
    }
}

extension Traffic: ExpressibleByArgument {
    init?(argument: String) {
        self.init(rawValue: argument)
        if self == .fill { return nil }
    }

    static var allValueStrings: [String] { allCases.filter { $0 != .fill }.map(\.rawValue) }
}
