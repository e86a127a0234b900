import Foundation

/// What some processes have used since they started, all together.
struct ProcessUsage: Sendable {
    /// User and system time; counted by the kernel in ticks of 10 ms.
    var processorSeconds = 0.0
    /// Sent to the disk, as the kernel accounts it (`write_bytes` of /proc/PID/io); nil without the right to know.
    var writtenBytes: Int?
    /// Resident now.
    var residentBytes = 0
    /// Synced writes of the logs, where a server tells.
    var syncs: Int?

    /// - Parameter processes: by their numbers; what has ended counts nothing.
    static func of(_ processes: [pid_t]) -> ProcessUsage {
        var usage = ProcessUsage()
        var written = 0
        var isKnown = !processes.isEmpty
        for process in processes {
            usage.processorSeconds += processorSeconds(process)
            usage.residentBytes += (number("VmRSS:", "/proc/\(process)/status") ?? 0) << 10
            if let bytes = number("write_bytes:", "/proc/\(process)/io") { written += bytes } else { isKnown = false }
        }
        usage.writtenBytes = isKnown ? written : nil
        return usage
    }

    /// The 14th and 15th field of /proc/PID/stat; the second one, the name, may hold spaces and parentheses.
    private static func processorSeconds(_ process: pid_t) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        guard let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func number(_ name: String, _ path: String) -> Int? {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}

/// What the servers used for the operations of one measurement.
struct Cost: Codable, Sendable {
    var processorMicrosecondsPerOperation: Double?
    var residentBytes: Int?
    var writtenBytesPerOperation: Double?
    var syncsPerOperation: Double?

    init() {}

    init(from before: ProcessUsage, to after: ProcessUsage, operations: Int) {
        let count = Double(max(1, operations))
        processorMicrosecondsPerOperation = (after.processorSeconds - before.processorSeconds) * 1e6 / count
        residentBytes = after.residentBytes
        if let old = before.writtenBytes, let new = after.writtenBytes {
            writtenBytesPerOperation = Double(new - old) / count
        }
        if let old = before.syncs, let new = after.syncs { syncsPerOperation = Double(new - old) / count }
    }

    static func median(of rounds: [Cost]) -> Cost {
        func middle(_ value: (Cost) -> Double?) -> Double? { roost_bench.median(rounds.compactMap(value)) }
        var cost = Cost()
        cost.processorMicrosecondsPerOperation = middle(\.processorMicrosecondsPerOperation)
        cost.residentBytes = middle { $0.residentBytes.map(Double.init) }.map { Int($0) }
        cost.writtenBytesPerOperation = middle(\.writtenBytesPerOperation)
        cost.syncsPerOperation = middle(\.syncsPerOperation)
        return cost
    }
}
