import ByteCoding
import Synchronization

/// Snapshots in memory, gone with the process.
package final class MemoryFiles: SnapshotFiles {
    private let files = Mutex<[String: MemoryFile]>([:])

    package init() {}

    package func create(_ name: String) throws(StorageError) -> any SnapshotFile {
        let file = MemoryFile(name: name)
        files.withLock { $0[name] = file }
        return file
    }

    package func open(_ name: String) throws(StorageError) -> (any SnapshotFile)? { files.withLock { $0[name] } }

    package func rename(_ name: String, to newName: String) throws(StorageError) {
        let isThere = files.withLock { files in
            guard let file = files.removeValue(forKey: name) else { return false }
            files[newName] = file
            return true
        }
        guard isThere else { throw StorageError(.io, "rename \(name): no such file") }
    }

    package func remove(_ name: String) throws(StorageError) { files.withLock { $0[name] = nil } }

    package func names(in folder: String) throws(StorageError) -> [String] {
        files.withLock { files in
            files.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }.sorted()
        }
    }
}

private final class MemoryFile: SnapshotFile {
    private let name: String
    private let content = Mutex<[UInt8]>([])

    init(name: String) { self.name = name }

    func byteCount() throws(StorageError) -> UInt64 { content.withLock { UInt64($0.count) } }

    func read(at offset: UInt64, count: Int) throws(StorageError) -> Bytes {
        let bytes = content.withLock { content -> Bytes? in
            guard let start = Int(exactly: offset), start <= content.count, count <= content.count - start else {
                return nil
            }
            return Bytes(Array(content[start..<start + count]))
        }
        guard let bytes else { throw StorageError(.corruption, "\(name) ends before \(offset) + \(count)") }
        return bytes
    }

    func append(_ bytes: Bytes) throws(StorageError) {
        content.withLock { content in bytes.withUnsafeBytes { content.append(contentsOf: $0) } }
    }

    func sync() throws(StorageError) {}
}
