import ByteCoding
import Synchronization

@testable import RaftStorage

/// Files of a disk that is full when something is to be made durable, once.
final class FullFiles: SnapshotFiles {
    enum Step: Sendable, CaseIterable {
        case sync
        case rename
        /// The file has its new name, which is not durable.
        case syncOfNames
    }

    static let error = StorageError(.noSpace, "made to fail")
    private let base = MemoryFiles()
    private let failing = Mutex<Step?>(nil)

    func failNext(_ step: Step) { failing.withLock { $0 = step } }

    private func reach(_ step: Step) throws(StorageError) {
        let fails = failing.withLock { failing in
            guard failing == step else { return false }
            failing = nil
            return true
        }
        if fails { throw Self.error }
    }

    func create(_ name: String) throws(StorageError) -> any SnapshotFile {
        File(base: try base.create(name), files: self)
    }

    func open(_ name: String) throws(StorageError) -> (any SnapshotFile)? {
        guard let file = try base.open(name) else { return nil }
        return File(base: file, files: self)
    }

    func rename(_ name: String, to newName: String) throws(StorageError) {
        try reach(.rename)
        try base.rename(name, to: newName)
        try reach(.syncOfNames)
    }

    func remove(_ name: String) throws(StorageError) { try base.remove(name) }
    func names(in folder: String) throws(StorageError) -> [String] { try base.names(in: folder) }

    private struct File: SnapshotFile {
        let base: any SnapshotFile
        let files: FullFiles

        func byteCount() throws(StorageError) -> UInt64 { try base.byteCount() }
        func read(at offset: UInt64, count: Int) throws(StorageError) -> Bytes {
            try base.read(at: offset, count: count)
        }
        func append(_ bytes: Bytes) throws(StorageError) { try base.append(bytes) }
        func sync() throws(StorageError) {
            try files.reach(.sync)
            try base.sync()
        }
    }
}
