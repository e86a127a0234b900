package import ByteCoding

/// A command that changes nothing. It owns its keys, because it may wait: for leadership to be confirmed, or for a thread
/// that may read the disk.
package enum ReadCommand: Hashable, Sendable {
    case get(Bytes)
    case multiGet([Bytes])
    /// Counts a key once for each time that it is named, as Redis does.
    case exists([Bytes])
    case valueLength(Bytes)
    /// `DBSIZE`, exact, by a walk over all keys: O(keys).
    case countKeys

    /// About what it costs in memory: its keys, each in storage of its own.
    package var heldBytes: Int {
        switch self {
        case .get(let key), .valueLength(let key): key.count + Self.storageBytes
        case .multiGet(let keys), .exists(let keys): keys.reduce(0) { $0 + $1.count + Self.storageBytes }
        case .countKeys: Self.storageBytes
        }
    }

    /// The value of a key's `Bytes`, and the header of its array.
    private static let storageBytes = 64

    /// Answers from the store's committed state; one with several keys from a single moment of it.
    ///
    /// - Parameter maxReplyBytes: of all values of one answer together.
    /// - Throws: `StateStoreError`; with tier `.memory`, kind `.wouldBlock` when the disk may be needed: run it again with
    ///   `.all` where waiting is allowed. `countKeys` always says so.
    package func run(
        on store: some StateStore, group: UInt64, tier: ReadTier, maxReplyBytes: Int = .max
    ) throws(StateStoreError) -> Outcome {
        switch self {
        case .get(let key):
            return try Self.get(key, store, group, tier).map(Outcome.value) ?? .null
        case .valueLength(let key):
            return .integer(Int64(try Self.length(key, store, group, tier) ?? 0))
        case .multiGet(let keys):
            return try store.withSnapshot { (moment) throws(StateStoreError) in
                var values: [Bytes?] = []
                values.reserveCapacity(keys.count)
                var bytes = 0
                for key in keys {
                    let value = try Self.get(key, moment, group, tier)
                    bytes += value?.count ?? 0
                    guard bytes <= maxReplyBytes else { return .failure(.replyTooLong) }
                    values.append(value)
                }
                return .values(values)
            }
        case .exists(let keys):
            return try store.withSnapshot { (moment) throws(StateStoreError) in
                var count: Int64 = 0
                for key in keys where try Self.length(key, moment, group, tier) != nil { count += 1 }
                return .integer(count)
            }
        case .countKeys:
            guard tier == .all else { throw StateStoreError(.wouldBlock, "a count walks over all keys") }
            return .integer(try Self.count(store, group))
        }
    }

    /// Gives `body` the value of a key in place, `nil` when there is none; the pointer is valid only during the call. The
    /// way for GET, whose reply can be written from there.
    ///
    /// - Throws: `StateStoreError`, as `run`.
    package static func withValue<R>(
        of key: UnsafeRawBufferPointer,
        in reader: some StateReader,
        group: UInt64,
        tier: ReadTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        let result = try StateKey.withUser(key, group: group) { (key) throws(StateStoreError) in
            try reader.read(key, tier: tier) { stored -> Result<R, StateStoreError> in
                guard let stored else { return .success(body(nil)) }
                do throws(ValueFormatError) {
                    return .success(body(try ValueHeader.decode(stored).value))
                } catch {
                    return .failure(StateStoreError(.corruption, error.description))
                }
            }
        }
        return try result.get()
    }

    private static func get(
        _ key: Bytes, _ reader: some StateReader, _ group: UInt64, _ tier: ReadTier
    ) throws(StateStoreError) -> Bytes? {
        try key.withUnsafeBytes { (key) throws(StateStoreError) in
            try withValue(of: key, in: reader, group: group, tier: tier) { $0.map(Bytes.init(copying:)) }
        }
    }

    private static func length(
        _ key: Bytes, _ reader: some StateReader, _ group: UInt64, _ tier: ReadTier
    ) throws(StateStoreError) -> Int? {
        try key.withUnsafeBytes { (key) throws(StateStoreError) in
            try withValue(of: key, in: reader, group: group, tier: tier) { $0?.count }
        }
    }

    private static func count(_ reader: some StateReader, _ group: UInt64) throws(StateStoreError) -> Int64 {
        let (lower, upper) = StateKey.userRange(group: group)
        var count: Int64 = 0
        try reader.scan(from: lower, to: upper) { _, _ in
            count += 1
            return true
        }
        return count
    }
}
