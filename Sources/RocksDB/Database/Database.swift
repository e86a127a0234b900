import CRocksDB
import Synchronization

/// An open RocksDB database and the handles of its column families.
///
/// All operations may be called from any thread, with exceptions that must not run beside any other call that concerns
/// the same object: `close()`, `abandon()`, `release(_:)`, and `drop(_:keepingHandle:)` for the family that it drops,
/// unless it keeps the handle for readers.
///
/// Closing has an order that RocksDB's assertions (on in Debian's build) enforce by aborting: first iterators and
/// snapshots, then column family handles, then the database. Iterators and snapshots hold their database strongly, and
/// `close()` refuses while any exists, so that the order can't be wrong. The last reference closes a database that is
/// still open.
///
/// `@unchecked Sendable`: `rocksdb_t` is thread-safe (rocksdb/db.h, "Concurrency"), the pointer never changes.
@safe public final class Database: @unchecked Sendable {
    struct Families: Sendable {
        var open: [String: ColumnFamily] = [:]
        /// Dropped, and their handles still in use.
        var dropped: [ColumnFamily] = []
    }

    /// The directory, as given.
    public let path: String

    private let pointer: OpaquePointer
    /// Kept because statistics are read through it.
    let options: OptionsHandle
    /// Whether reads that must not touch the disk give true answers: see `ReadOptions.Tier.memory`.
    let keepsAllFilesOpen: Bool
    private let families: Mutex<Families>
    private let isOpen = Atomic(true)
    /// Iterators and snapshots that exist.
    private let dependents = Atomic(0)

    /// Opens the database and its column families, all at once: RocksDB refuses unless every existing one is named
    /// (`listColumnFamilies`).
    ///
    /// - Throws: `.lockHeld`, `.corruption` (see `DatabaseOptions.walRecovery`), `.io`, `.other` for contradictory
    ///   options.
    public init(
        path: String, options: DatabaseOptions = DatabaseOptions(),
        columnFamilies: [(name: String, options: ColumnFamilyOptions)] = [("default", ColumnFamilyOptions())],
        readOnly: Bool = false
    ) throws(RocksDBError) {
        let databaseOptions = try options.makeHandle()
        var familyOptions: [OptionsHandle] = []
        for family in columnFamilies { familyOptions.append(try family.options.makeHandle()) }
        let names = columnFamilies.map(\.name)
        let (database, handles) = try unsafe Self.open(path, databaseOptions, names, familyOptions, readOnly: readOnly)

        self.path = path
        self.options = databaseOptions
        keepsAllFilesOpen = options.maxOpenFiles == -1
        unsafe pointer = database
        var families: [String: ColumnFamily] = [:]
        for position in names.indices {
            families[names[position]] = unsafe ColumnFamily(name: names[position], pointer: handles[position])
        }
        self.families = Mutex(Families(open: families))
    }

    deinit { closeHandles() }

    /// Flushes what was written without WAL, then closes. Errors of that flush are lost: call `flush(_:)` before.
    ///
    /// - Throws: `.busy` while iterators or snapshots exist; nothing has changed then.
    public func close() throws(RocksDBError) {
        guard isOpen.load(ordering: .acquiring) else { return }
        let open = dependents.load(ordering: .acquiring)
        guard open == 0 else {
            throw RocksDBError(.busy, "\(open) iterators or snapshots of \(path) still exist")
        }
        closeHandles()
    }

    /// Gives the database up without closing it, for a process that is about to end because writing failed: closing
    /// would flush, and after an I/O error that may abort. Files, memory and the lock stay as they are.
    public func abandon() {
        isOpen.store(false, ordering: .releasing)
    }

    /// The C object of an open database.
    ///
    /// - Precondition: neither `close()` nor `abandon()` was called.
    var handle: OpaquePointer {
        precondition(isOpen.load(ordering: .relaxed), "\(path) is used after it was closed")
        return unsafe pointer
    }

    /// The C object for releasing what was made while the database was open; valid until the last reference has gone.
    var releasingHandle: OpaquePointer { unsafe pointer }

    func addDependent() { dependents.add(1, ordering: .relaxed) }
    func removeDependent() { dependents.subtract(1, ordering: .releasing) }

    func withFamilies<R: Sendable, E: Error>(
        _ body: (inout Families) throws(E) -> R
    ) throws(E) -> R {
        try families.withLock { (families) throws(E) -> R in try body(&families) }
    }

    private func closeHandles() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        families.withLock { families in
            for family in families.open.values { family.destroyHandle() }
            for family in families.dropped { family.destroyHandle() }
            families = Families()
        }
        unsafe rocksdb_close(pointer)
    }

    private static func open(
        _ path: String, _ options: OptionsHandle, _ names: [String], _ familyOptions: [OptionsHandle], readOnly: Bool
    ) throws(RocksDBError) -> (OpaquePointer, [OpaquePointer]) {
        var handles = unsafe [OpaquePointer?](repeating: nil, count: names.count)
        let optionPointers = unsafe familyOptions.map { unsafe Optional($0.pointer) }
        let count = Int32(names.count)
        let database = try unsafe withCStrings(names) { (names) throws(RocksDBError) -> OpaquePointer? in
            try unsafe checked { error in
                readOnly
                    ? unsafe rocksdb_open_for_read_only_column_families(
                        options.pointer, path, count, names, optionPointers, &handles, 0, error)
                    : unsafe rocksdb_open_column_families(
                        options.pointer, path, count, names, optionPointers, &handles, error)
            }
        }
        withExtendedLifetime(familyOptions) {}
        return unsafe (database!, handles.map { unsafe $0! })
    }
}
