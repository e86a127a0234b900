import CRocksDB

/// Owns a C options object.
///
/// `@unchecked Sendable`: nothing changes the object after the functions of this folder have filled it in.
@safe final class OptionsHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init() { unsafe pointer = rocksdb_options_create() }

    deinit { unsafe rocksdb_options_destroy(pointer) }

    /// A copy with the settings of an options string (`name=value;…`) laid over it.
    func applying(_ string: String) throws(RocksDBError) -> OptionsHandle {
        let result = OptionsHandle()
        try unsafe checked { unsafe rocksdb_get_options_from_string(pointer, string, result.pointer, $0) }
        return result
    }
}
