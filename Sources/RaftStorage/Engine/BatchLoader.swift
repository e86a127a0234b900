/// Loads by `.volatile` batches and a flush: for engines without a faster way.
package final class BatchLoader<Engine: StorageEngine>: FamilyLoader {
    private let engine: Engine
    private let family: Engine.Family
    private let batch: Engine.Batch
    private var pendingBytes = 0
    /// A batch is written when it holds more than this.
    private static var batchBytes: Int { 1 << 20 }

    package init(_ engine: Engine, into family: Engine.Family) {
        self.engine = engine
        self.family = family
        batch = engine.makeBatch()
    }

    package func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(EngineError) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        batch.put(key, head: nothing, body: value, tail: nothing, in: family)
        pendingBytes += key.count + value.count
        guard pendingBytes > Self.batchBytes else { return }
        pendingBytes = 0
        try engine.write(batch, .volatile)
    }

    package func finish() throws(EngineError) {
        if !batch.isEmpty { try engine.write(batch, .volatile) }
        try engine.flush(family)
    }
}
