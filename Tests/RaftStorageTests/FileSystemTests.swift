import Foundation
import RocksDB
import Synchronization
import Testing

@testable import RaftStorage

/// What the operating system says is passed on: never taken for an answer that it did not give.
@Suite("Files")
struct FileSystemTests {
    private let node: TestNode

    init() throws { node = try TestNode() }

    /// A name that the file system can't follow: neither there nor not there.
    private func makeUntellable(_ path: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
    }

    @Test func `only what is not there is not there`() throws {
        try Data().write(to: URL(filePath: node.root + "/file"))
        try makeUntellable(node.root + "/loop")
        #expect(try FileSystem.exists(node.root + "/file"))
        #expect(try !FileSystem.exists(node.root + "/nothing"))
        #expect(try !FileSystem.exists(node.root + "/file/below"))
        #expect(throws: StorageError.self) { try FileSystem.exists(node.root + "/loop") }
    }

    @Test func `a directory that can't be read is not an empty one`() throws {
        try Data().write(to: URL(filePath: node.root + "/file"))
        #expect(try FileSystem.names(in: node.root) == ["file"])
        #expect(throws: StorageError.self) { try FileSystem.names(in: node.root + "/file") }
        #expect(throws: StorageError.self) { try FileSystem.names(in: node.root + "/nothing") }
        #expect(throws: StorageError.self) { try FileSystem.syncFiles(named: ".log", in: node.root + "/file") }
        try FileSystem.syncFiles(named: ".log", in: node.root + "/nothing")
    }

    @Test func `a mark that can't be looked for is not taken for a new directory`() throws {
        try node.open().close()
        try node.remove("db")
        try node.remove("initialized")
        try Data().write(to: URL(filePath: node.path("founding")))
        try makeUntellable(node.path("initialized"))
        #expect(throws: StorageError.self) { try node.open() }
        #expect(!FileManager.default.fileExists(atPath: node.path("db")))
    }

    @Test(arguments: [
        (ENOSPC, StorageError.Kind.noSpace), (EDQUOT, .noSpace), (EACCES, .permission), (EPERM, .permission),
        (EMFILE, .tooManyFiles), (ENFILE, .tooManyFiles), (EIO, .io), (EROFS, .io),
    ])
    func `each error of the operating system has its kind`(code: Int32, kind: StorageError.Kind) {
        #expect(StorageError(errno: code, "open x").kind == kind)
    }

    @Test(arguments: [
        ("Too many open files", StorageError.Kind.tooManyFiles), ("Too many open files in system", .tooManyFiles),
        ("Read-only file system", .io), ("No space left on device", .noSpace), ("Input/output error", .io),
        ("Permission denied", .permission),
    ])
    func `each of them has the same kind when RocksDB tells of it`(text: String, kind: StorageError.Kind) {
        let error = RocksDBError(message: "IO error: While open a file for appending: /d/db/000012.log: \(text)")
        #expect(StorageError(error, while: "open").kind == kind)
        #expect(StorageError(EngineError(error), while: "flush").kind == kind)
    }

    @Test func `a call that a signal interrupted is repeated, another error is not`() {
        var codes = [EINTR, EINTR, EIO, 0]
        func call() -> Int {
            errno = codes.removeFirst()
            return errno == 0 ? 7 : -1
        }
        #expect(FileSystem.uninterrupted(call) == -1)
        #expect(codes == [0])
        #expect(FileSystem.uninterrupted(call) == 7)
    }

    @Test func `a lock that can't be had closes no file of another thread`() throws {
        let held = try DirectoryLock(path: node.root + "/LOCK")
        let isDone = Atomic<Bool>(false)
        let lost = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 2) { number in
            if number == 0 {
                for _ in 1...5_000 {
                    _ = try? DirectoryLock(path: node.root + "/LOCK")
                    _ = try? DirectoryLock(lookingAt: node.root + "/LOCK")
                }
                isDone.store(true, ordering: .releasing)
            } else {
                while !isDone.load(ordering: .acquiring) {
                    let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                    if close(descriptor) != 0 { lost.add(1, ordering: .relaxed) }
                }
            }
        }
        #expect(lost.load(ordering: .relaxed) == 0)
        withExtendedLifetime(held) {}
    }
}
