import ByteCoding

/// What the commands of one batch have written so far, over the store that does not show it yet.
///
/// Nothing of it reaches the batch before `writeOut`, and then only the last value of each key: ten thousand APPENDs to
/// one large value cost one write of it, not ten thousand.
struct Overlay {
    /// A value under construction: appending costs what is appended.
    final class Growing {
        var bytes: [UInt8]
        var header: ValueHeader

        init(bytes: [UInt8], header: ValueHeader) {
            self.bytes = bytes
            self.header = header
        }
    }

    enum Entry {
        case value(Bytes, ValueHeader)
        case growing(Growing)
        case absent
    }

    private var entries: [Bytes: Entry] = [:]
    /// The keys in the order of their first writes: the order of a dictionary must not show.
    private var order: [Bytes] = []
    /// Whether the batch has removed everything, so that the store's values count no longer.
    private var isFlushed = false

    /// `nil`: the batch has not touched the key; ask the store.
    func entry(for key: Bytes) -> Entry? { entries[key] ?? (isFlushed ? .absent : nil) }

    mutating func set(_ key: Bytes, _ entry: Entry) {
        if entries.updateValue(entry, forKey: key) == nil { order.append(key) }
    }

    mutating func flush() {
        entries.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
        isFlushed = true
    }

    /// Gives `body` each key that was written, with what it holds at the end.
    func writeOut(_ body: (Bytes, Entry) -> Void) {
        for key in order {
            if let entry = entries[key] { body(key, entry) }
        }
    }
}
