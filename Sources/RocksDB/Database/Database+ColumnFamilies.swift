import CRocksDB

extension Database {
    /// The column families of a database that need not be open.
    ///
    /// - Throws: `.io` when there is none at `path`.
    public static func listColumnFamilies(path: String) throws(RocksDBError) -> [String] {
        let options = OptionsHandle()
        var count = 0
        let list = try unsafe checked { unsafe rocksdb_list_column_families(options.pointer, path, &count, $0) }
        defer { unsafe rocksdb_list_column_families_destroy(list, count) }
        return (0..<count).map { unsafe String(cString: list![$0]!) }
    }

    /// The open column families, ascending by name.
    public var columnFamilyNames: [String] { withFamilies { $0.open.keys.sorted() } }

    /// The column family of that name, nil if it isn't open.
    public func columnFamily(_ name: String) -> ColumnFamily? { withFamilies { $0.open[name] } }

    /// Makes a new, empty column family; durable on return.
    public func createColumnFamily(_ name: String, options: ColumnFamilyOptions) throws(RocksDBError) -> ColumnFamily {
        let familyOptions = try options.makeHandle()
        return try withFamilies { (families) throws(RocksDBError) -> ColumnFamily in
            let pointer = try unsafe checked {
                unsafe rocksdb_create_column_family(handle, familyOptions.pointer, name, $0)
            }
            let family = unsafe ColumnFamily(name: name, pointer: pointer!)
            families.open[name] = family
            return family
        }
    }

    /// Drops the column family, durably, and its handle. Iterators that exist go on; their files live until they end.
    ///
    /// - Parameter keepingHandle: Leave the handle to those who still read through it, point reads too; then
    ///   `release(_:)` it, or else its files live until the database closes.
    public func drop(_ family: ColumnFamily, keepingHandle: Bool = false) throws(RocksDBError) {
        try withFamilies { (families) throws(RocksDBError) in
            try unsafe checked { unsafe rocksdb_drop_column_family(handle, family.handle, $0) }
            families.open[family.name] = nil
            if keepingHandle { families.dropped.append(family) } else { family.destroyHandle() }
        }
    }

    /// Destroys the handle of a family that was dropped. Nobody may use it any more.
    public func release(_ family: ColumnFamily) {
        withFamilies { families in
            guard let position = families.dropped.firstIndex(where: { $0 === family }) else { return }
            families.dropped.remove(at: position).destroyHandle()
        }
    }
}
