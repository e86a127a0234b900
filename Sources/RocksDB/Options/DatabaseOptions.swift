import CRocksDB

/// How a database as a whole behaves. The defaults are RocksDB 7.8's unless said otherwise.
public struct DatabaseOptions: Sendable {
    /// What opening does about a write-ahead log whose end doesn't make sense.
    public enum WALRecovery: Int32, Sendable {
        /// A torn last record is cut; a damaged one anywhere else refuses to open. The mode for data that others were
        /// told is durable.
        case tolerateCorruptedTailRecords = 0
        /// Even a torn last record refuses to open.
        case absoluteConsistency = 1
        /// Stops silently at the first damage, RocksDB's default: bit rot in the middle of the log loses everything
        /// after it without a word.
        case pointInTime = 2
        /// Skips damaged records. For salvage only.
        case skipAnyCorruptedRecords = 3
    }

    /// Least severe messages that reach the info log, the file LOG in the directory.
    public enum InfoLogLevel: Int32, Sendable {
        case debug = 0
        case info, warn, error, fatal, header
    }

    /// Make the database where there is none. Default false.
    public var createIfMissing = false
    /// Make the column families that are named at opening and don't exist. Default false.
    public var createMissingColumnFamilies = false
    /// Refuse an existing database. Default false.
    public var errorIfExists = false
    /// Default `.tolerateCorruptedTailRecords` (RocksDB's own is `.pointInTime`).
    public var walRecovery = WALRecovery.tolerateCorruptedTailRecords
    /// Note in the MANIFEST which WAL files must exist, so that a missing older one refuses to open. A missing newest
    /// one is not noticed. Default true (RocksDB's own is false).
    public var trackAndVerifyWALs = true
    /// Once WAL files exceed this many bytes, the column families that hold the oldest one back are flushed.
    /// 0 = four times all write buffers. Default 0.
    public var maxTotalWALBytes: UInt64 = 0
    /// Threads for flushes and compactions together. Default 2.
    public var maxBackgroundJobs: Int32 = 2
    /// While an SST file is written, start writing it back after each such run of bytes, so that the final sync is
    /// short. 0 = leave it to the system. Default 0.
    public var bytesPerSync: UInt64 = 0
    /// Table files kept open; -1 = all. `ReadOptions.Tier.memory` needs -1, and databases with many range deletions
    /// should have it. Default -1.
    public var maxOpenFiles: Int32 = -1
    /// Let one write group append to the WAL while the one before it is inserted into the memtables. Default false.
    public var enablePipelinedWrite = false
    /// Where the WAL lives; nil = in the database's directory.
    public var walDirectory: String?
    /// Default `.warn` (RocksDB's own is `.info`, which is verbose).
    public var infoLogLevel = InfoLogLevel.warn
    /// Older info logs that are kept. Default 5 (RocksDB's own is 1,000).
    public var keepInfoLogFiles = 5
    /// Count operations, see `Database.statistics`; costs a few per cent of CPU. Default false.
    public var statistics = false
    /// Settings that the C API has no function for, as `name=value;name=value`; an unknown name refuses to open.
    public var extra = ""

    public init() {}

    /// The C form. Only the database's part of it is meaningful, or, for `rocksdb_open`-like calls that take one
    /// object,
    /// `family` fills in the other part.
    func makeHandle() throws(RocksDBError) -> OptionsHandle {
        let handle = OptionsHandle()
        let options = unsafe handle.pointer
        unsafe rocksdb_options_set_create_if_missing(options, createIfMissing ? 1 : 0)
        unsafe rocksdb_options_set_create_missing_column_families(options, createMissingColumnFamilies ? 1 : 0)
        unsafe rocksdb_options_set_error_if_exists(options, errorIfExists ? 1 : 0)
        unsafe rocksdb_options_set_wal_recovery_mode(options, walRecovery.rawValue)
        unsafe rocksdb_options_set_max_total_wal_size(options, maxTotalWALBytes)
        unsafe rocksdb_options_set_max_background_jobs(options, maxBackgroundJobs)
        unsafe rocksdb_options_set_bytes_per_sync(options, bytesPerSync)
        unsafe rocksdb_options_set_max_open_files(options, maxOpenFiles)
        unsafe rocksdb_options_set_enable_pipelined_write(options, enablePipelinedWrite ? 1 : 0)
        unsafe rocksdb_options_set_info_log_level(options, infoLogLevel.rawValue)
        unsafe rocksdb_options_set_keep_log_file_num(options, keepInfoLogFiles)
        if let walDirectory { unsafe rocksdb_options_set_wal_dir(options, walDirectory) }
        if statistics { unsafe rocksdb_options_enable_statistics(options) }
        return try handle.applying("track_and_verify_wals_in_manifest=\(trackAndVerifyWALs);" + extra)
    }
}
