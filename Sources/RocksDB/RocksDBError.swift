/// What RocksDB reported, in its own words, with a kind made from them.
///
/// The C API hands errors over as text alone: no code, no severity. `Kind` tells apart what callers act upon
/// differently; everything else is `.other`.
///
/// After `.io`, `.noSpace`, `.tooManyFiles` or `.corruption` from a write or a flush the database answers every later
/// write with the same error until it is opened anew. Never retry in the process, and don't `close()` either: see
/// `Database.abandon()`.
public struct RocksDBError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        /// A checksum didn't fit, a file is missing, or the files contradict one another.
        case corruption
        /// The file system is full.
        case noSpace = "no space left"
        /// The process, or the machine, has as many files open as it may.
        case tooManyFiles = "too many open files"
        /// The operating system refused to read, write or sync.
        case io = "I/O error"
        /// Something is still using what was to be closed, or a concurrent operation is in the way.
        case busy
        /// The answer isn't in memory, and the read was forbidden to wait for the disk.
        case incomplete
        /// Another process, or this one, has the database open.
        case lockHeld = "lock held"
        case other = "RocksDB error"
    }

    public let kind: Kind
    /// RocksDB's text, e.g. `IO error: No space left on device: While appending to file: …`.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// An error as RocksDB wrote it; the kind follows from the text.
    public init(message: String) {
        self.init(Kind(classifying: message), message)
    }

    public var description: String { "\(kind.rawValue): \(message)" }
}

extension RocksDBError.Kind {
    /// Reads the prefixes of RocksDB's `Status::ToString` (util/status.cc) and the operating system's words behind
    /// them.
    init(classifying message: String) {
        if message.hasPrefix("IO error") {
            self = Self(classifyingIO: message)
        } else if message.hasPrefix("Corruption") {
            self = .corruption
        } else if message.hasPrefix("Result incomplete") {
            self = .incomplete
        } else if message.hasPrefix("Resource busy") {
            self = .busy
        } else {
            self = .other
        }
    }

    private init(classifyingIO message: String) {
        if message.contains("No space left on device") || message.contains("Disk quota exceeded") {
            self = .noSpace
        } else if message.contains("Too many open files") {
            self = .tooManyFiles
        } else if message.contains("While lock file") || message.contains("lock hold by current process") {
            self = .lockHeld
        } else {
            self = .io
        }
    }
}
