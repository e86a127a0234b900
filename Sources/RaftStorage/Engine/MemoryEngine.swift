import ByteCoding
import KeyValue
import Synchronization

/// Everything in memory, gone with the process: `--storage memory`, and tests that need no disk.
final class MemoryEngine: StorageEngine {
    private let logStore = MemoryLogStore()
    private let stateStore = MemoryStateStore()
    private let records = Mutex<[Bytes: Bytes]>([:])

    var log: any LogStore { logStore }
    var state: NodeState { .memory(stateStore) }

    func metadata(_ key: Bytes) throws(StorageError) -> Bytes? { records.withLock { $0[key] } }

    func allMetadata() throws(StorageError) -> [(key: Bytes, value: Bytes)] {
        records.withLock { records in records.sorted { $0.key < $1.key } }
    }

    func setMetadata(_ key: Bytes, _ value: Bytes) throws(StorageError) { records.withLock { $0[key] = value } }

    /// Memory lives exactly as long as the process: all that is committed is as durable as it gets.
    func persistedState(_ key: Bytes) throws(StorageError) -> Bytes? {
        do {
            return try key.withUnsafeBytes { (key) throws(StateStoreError) in
                try stateStore.read(key, tier: .all) { $0.map { Bytes(copying: $0) } }
            }
        } catch { throw StorageError(error, while: "read the state") }
    }

    func flushState() throws(StorageError) {}
    func statistics() -> StoreStatistics { StoreStatistics() }
    func report() -> String? { nil }
    func close() throws(StorageError) {}
    func abandon() {}
}
