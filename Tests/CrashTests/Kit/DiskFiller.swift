import Foundation
import Synchronization

/// Somebody else who takes all room of a file system, and whatever becomes free meanwhile: a daemon that gives back a log
/// file does not get that room.
final class DiskFiller: Sendable {
    private let disk: LossyDisk
    private let path: String
    private let descriptor: Int32
    private let isHolding = StopFlag()
    private let leastFree = Mutex(Int.max)
    private let thread: Mutex<Workers<Void>?>

    /// Begins at once.
    init(_ disk: LossyDisk) throws {
        let path = disk.path + "/filler"
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open(\(path))") }
        (self.disk, self.path) = (disk, path)
        thread = Mutex(nil)
        let worker = Workers(1) { [self] _ in takeUntilHeld() }
        thread.withLock { $0 = worker }
    }

    private func takeUntilHeld() {
        defer { close(descriptor) }
        while !isHolding.isRaised {
            Self.takeAll(descriptor)
            let free = disk.freeBytes
            leastFree.withLock { $0 = min($0, free) }
            pause(.milliseconds(2))
        }
    }

    /// Waits until there was a moment without room for a single block of 4 KiB.
    func waitUntilFull() throws {
        try eventually("\(disk.path) is full", within: .seconds(30), every: .milliseconds(5)) {
            leastFree.withLock { $0 < 4 << 10 } ? () : nil
        }
    }

    /// Takes no more, and gives nothing back.
    func hold() {
        isHolding.raise()
        _ = thread.withLock(\.self)?.join()
    }

    /// Gives all of it back.
    func release() throws {
        hold()
        guard unlink(path) == 0 else { throw SystemError("unlink(\(path))") }
    }

    /// Large pieces first; the last blocks one by one.
    private static func takeAll(_ descriptor: Int32) {
        let zeros = [UInt8](repeating: 0, count: 256 << 10)
        var piece = zeros.count
        while piece >= 1 << 10 {
            if write(descriptor, zeros, piece) <= 0 { piece /= 4 }
        }
    }
}
