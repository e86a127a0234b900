import CRocksDB
import Synchronization

/// A key space of its own inside a database: own memtables, own files, the WAL shared.
///
/// Its database owns the handle and destroys it when it closes; using it afterwards, or after `Database.drop` or
/// `Database.release` destroyed it, stops the process with a clear message.
///
/// `@unchecked Sendable`: RocksDB allows a handle on all threads at once, and the pointer never changes.
@safe public final class ColumnFamily: @unchecked Sendable {
    public let name: String
    private let pointer: OpaquePointer
    private let isOpen = Atomic(true)

    init(name: String, pointer: OpaquePointer) {
        self.name = name
        unsafe self.pointer = pointer
    }

    var handle: OpaquePointer {
        precondition(isOpen.load(ordering: .relaxed), "column family \(name) is used after it was dropped or closed")
        return unsafe pointer
    }

    /// At most once has an effect. Iterators keep the data alive without the handle.
    func destroyHandle() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        unsafe rocksdb_column_family_handle_destroy(pointer)
    }
}
