import RESP

/// A client that fills a disk: it writes values that don't compress under new keys, and remembers which were acknowledged.
struct Filler {
    /// Of this client's keys, which are followed by a number from 1 on.
    let prefix: String
    let valueBytes: Int
    var connection: RedisConnection
    private var values: [String: String] = [:]
    private var count = 0
    private var random: SplitMix64

    init(_ connection: RedisConnection, prefix: String = "v", valueBytes: Int = 16 << 10, seed: UInt64 = 1) {
        self.connection = connection
        self.prefix = prefix
        self.valueBytes = valueBytes
        random = SplitMix64(seed: seed)
    }

    var acknowledged: Int { values.count }

    static func value(_ bytes: Int, _ random: inout SplitMix64) -> String {
        var text = ""
        while text.utf8.count < bytes { text += String(random.next(), radix: 36) }
        return text
    }

    // MARK: - Writing

    /// - Returns: the error of the write, if it was refused.
    mutating func writeOne() throws -> String? {
        count += 1
        let (key, value) = ("\(prefix)\(count)", Self.value(valueBytes, &random))
        let reply = try connection("SET", key, value)
        guard let error = reply.errorText else {
            values[key] = value
            return nil
        }
        guard ErrorWord.notApplied.contains(reply.errorWord ?? "") else { throw TestFailure(error) }
        return error
    }

    /// - Returns: the error of the first write that was refused, nil if all were taken.
    mutating func write(atMost bytes: Int) throws -> String? {
        for _ in 0..<bytes / valueBytes {
            if let error = try writeOne() { return error }
        }
        return nil
    }

    /// Writes until there is no room. A node that is short of it gives room back by itself and then takes some more, so
    /// neither a single write that is taken nor one that is refused says that the disk stays as it is.
    ///
    /// - Returns: the refusal.
    /// - Throws: `TestFailure` when there is room for that many bytes.
    mutating func writeUntilFull(atMost bytes: Int) throws -> String {
        for _ in 0..<bytes / valueBytes {
            guard let error = try writeOne() else { continue }
            if error.hasPrefix("NOSPACE ") { return error }
            // Who leads may change meanwhile: a short leader hands over to one that has room.
            pause(.milliseconds(10))
        }
        throw TestFailure("there was room for \(bytes) bytes")
    }

    // MARK: - Deleting

    /// Deletes one that was acknowledged. It is taken, however little room there is.
    mutating func delete(_ key: String) throws {
        let reply = try eventually("DEL \(key) is taken or refused for lack of room") {
            let reply = try connection("DEL", key)
            let word = reply.errorWord ?? ""
            return ErrorWord.notApplied.contains(word) && word != "NOSPACE" ? nil : reply
        }
        guard reply == .integer(1) else { throw TestFailure("DEL \(key): \(reply)") }
        values[key] = nil
    }

    mutating func deleteAll(but kept: Int) throws {
        for key in values.keys.sorted().dropFirst(kept) { try delete(key) }
    }

    // MARK: - Reading

    /// Everything acknowledged that is not there any more.
    func violations() throws -> [String] {
        var found: [String] = []
        for (key, value) in values.sorted(by: { $0.key < $1.key })
        where try connection("GET", key) != .text(value) { found.append(key) }
        return found
    }
}
