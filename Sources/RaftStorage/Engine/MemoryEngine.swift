package import ByteCoding
package import KeyValue
import Synchronization

/// Everything in memory, gone with the process: `--storage memory`, and tests that need no disk.
///
/// Reads take one short lock to fetch a family's tree and then need none; they never see half a batch.
package final class MemoryEngine: StorageEngine {
    private struct Content {
        var families: [FamilyName: OrderedTree] = [:]
        /// Dropped, and still read by somebody.
        var dropped: [FamilyName: OrderedTree] = [:]
    }

    private let content = Mutex(Content())
    /// Held while new trees are made, so that two changes can't lose each other.
    private let writing = Mutex(())

    package init() {}

    // MARK: Families

    package var familyNames: [FamilyName] { content.withLock { $0.families.keys.sorted() } }

    package func family(_ name: FamilyName) -> FamilyName? {
        content.withLock { $0.families[name] == nil ? nil : name }
    }

    package func create(_ name: FamilyName) throws(EngineError) -> FamilyName {
        writing.withLock { _ in content.withLock { $0.families[name] = OrderedTree() } }
        return name
    }

    package func drop(_ family: FamilyName) throws(EngineError) {
        writing.withLock { _ in
            content.withLock { $0.dropped[family] = $0.families.removeValue(forKey: family) }
        }
    }

    package func release(_ family: FamilyName) { content.withLock { $0.dropped[family] = nil } }

    // MARK: Reading

    package struct Moment: Sendable {
        fileprivate let families: [FamilyName: OrderedTree]
    }

    package func moment() -> Moment { Moment(families: content.withLock { $0.families }) }

    /// Memory lives exactly as long as the process: all that is written is as durable as it gets.
    package func read<R>(
        _ key: UnsafeRawBufferPointer, in family: FamilyName, at moment: Moment?, tier: EngineTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(EngineError) -> R {
        guard let value = tree(family, at: moment).value(of: key) else { return body(nil) }
        return value.withUnsafeBytes(body)
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?, in family: FamilyName, at moment: Moment?, isLong: Bool,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(EngineError) {
        tree(family, at: moment).scan(from: lower, to: upper ?? Self.aboveAllKeys) { key, value in
            key.withUnsafeBytes { key in value.withUnsafeBytes { body(key, $0) } }
        }
    }

    /// No key of any family begins like this.
    private static let aboveAllKeys = Bytes([UInt8](repeating: 0xFF, count: 32))

    private func tree(_ family: FamilyName, at moment: Moment?) -> OrderedTree {
        if let tree = moment?.families[family] { return tree }
        return content.withLock { $0.families[family] ?? $0.dropped[family] ?? OrderedTree() }
    }

    // MARK: Writing

    package func makeBatch() -> RecordedBatch { RecordedBatch() }

    package func write(_ batch: RecordedBatch, _ durability: Durability) throws(EngineError) {
        writing.withLock { _ in
            var families = content.withLock { $0.families }
            for change in batch.takeChanges() { families[change.family]?.apply(change) }
            content.withLock { $0.families = families }
        }
    }

    package func flush(_ family: FamilyName) throws(EngineError) {}

    package func makeLoader(into family: FamilyName) throws(EngineError) -> any FamilyLoader {
        BatchLoader(self, into: family)
    }

    package func close() throws(EngineError) {}
    package func abandon() {}
}

extension OrderedTree {
    /// Carries a change out, whatever its family.
    package mutating func apply(_ change: RecordedBatch.Change) {
        switch change {
        case .put(_, let key, let value): put(key, value)
        case .delete(_, let key): delete(key)
        case .deleteRange(_, let lower, let upper): deleteRange(from: lower, to: upper)
        }
    }
}
