import RESP

/// All that the writers of a load were promised.
struct Ledger: Sendable {
    let records: [WriterRecord]

    var acknowledged: Int { records.reduce(0) { $0 + $1.acknowledged } }
    var unknown: Int { records.reduce(0) { $0 + $1.unknown } }
    var longestGap: Duration { records.map(\.longestGap).max() ?? .zero }

    var summary: String {
        let refused = records.reduce(into: [:]) { $0.merge($1.refused, uniquingKeysWith: +) }
        let words = refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return "\(acknowledged) acknowledged, \(unknown) unknown, refused: [\(words)], longest gap \(longestGap)"
    }

    /// Compares with the store and gives every broken promise in words.
    func violations(_ connection: RedisConnection) throws -> [String] {
        var found = records.flatMap(\.violations)
        for record in records {
            found += try check(record.registers, connection) { $1.violation(key: $0, found: $2) }
            found += try check(record.counters, connection) { $1.violation(key: $0, found: $2) }
            found += try check(record.lists, connection) { $1.violation(key: $0, found: $2) }
        }
        return found
    }

    private func check<Record>(
        _ records: [String: Record], _ connection: RedisConnection, _ violation: (String, Record, String?) -> String?
    ) throws -> [String] {
        let keysPerRead = 500
        let sorted = records.sorted { $0.key < $1.key }
        var found: [String] = []
        for start in stride(from: 0, to: sorted.count, by: keysPerRead) {
            let part = sorted[start..<min(start + keysPerRead, sorted.count)]
            let reply = try connection.call(["MGET"] + part.map(\.key))
            guard let values = reply.elements, values.count == part.count else {
                throw TestFailure("MGET of \(part.count) keys was answered \(reply)")
            }
            found += zip(part, values).compactMap { violation($0.key, $0.value, $1.text) }
        }
        return found
    }
}

extension RegisterRecord {
    func violation(key: String, found: String?) -> String? {
        if found == acknowledged || (found != nil && found == unknown) { return nil }
        if let found, refused.contains(found) { return "\(key) holds \(found), which was refused as not applied" }
        guard let acknowledged else { return "\(key) holds \(found ?? "nothing"), never acknowledged" }
        return "\(key) holds \(found ?? "nothing"); \(acknowledged) was acknowledged"
    }
}

extension CounterRecord {
    func violation(key: String, found: String?) -> String? {
        let value = found.flatMap { Int64($0) } ?? 0
        if (acknowledged...acknowledged + unknown).contains(value) { return nil }
        return "\(key) counts \(found ?? "nothing"); \(acknowledged) acknowledged, \(unknown) unknown"
    }
}

extension ListRecord {
    func violation(key: String, found: String?) -> String? {
        let items = (found ?? "").split(separator: ";").map(String.init)
        if Set(items).count != items.count { return "\(key) holds an item twice: \(found ?? "")" }
        let promised = Set(acknowledged)
        if let alien = items.first(where: { !promised.contains($0) && !unknown.contains($0) }) {
            return "\(key) holds \(alien), which was refused as not applied or never sent"
        }
        let kept = items.filter(promised.contains)
        if kept == acknowledged { return nil }
        if kept.count < acknowledged.count {
            let lost = acknowledged.filter { !kept.contains($0) }
            return "\(key) lost the acknowledged items \(lost.prefix(5)) (\(lost.count) of \(acknowledged.count))"
        }
        return "\(key) holds its items in another order: \(kept.prefix(20))"
    }
}
