import ByteCoding

/// What the commands of one batch have written so far, over the store that does not show it yet.
///
/// Only ever asked for single keys: the order of a dictionary must not show in the state.
struct Overlay {
    enum Entry {
        case value(Bytes, expiry: UInt64?)
        case absent
    }

    private var entries: [Bytes: Entry] = [:]
    /// Whether the batch has removed everything, so that the store's values count no longer.
    private var isFlushed = false

    /// `nil`: the batch has not touched the key; ask the store.
    func entry(for key: Bytes) -> Entry? { entries[key] ?? (isFlushed ? .absent : nil) }

    mutating func put(_ key: Bytes, _ value: Bytes, expiry: UInt64?) { entries[key] = .value(value, expiry: expiry) }

    mutating func delete(_ key: Bytes) { entries[key] = .absent }

    mutating func flush() {
        entries.removeAll(keepingCapacity: true)
        isFlushed = true
    }
}
