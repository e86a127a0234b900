import Glibc
import Synchronization

/// Where log lines go: whole lines, one after the other, from any thread.
package final class LogOutput: Sendable {
    /// Not owned: standard error outlives everything.
    private let descriptor: Int32
    /// Held while a line is written, so that a line that the system takes in pieces stays in one piece.
    private let writing = Mutex<Void>(())

    package static let standardError = LogOutput(descriptor: STDERR_FILENO)

    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Writes `line` and a newline with one write(2), unless the system takes only a part of it. Blocks while the
    /// reader of a full pipe does not read. A line that cannot be written is lost: there is nowhere to say so.
    package func write(_ line: String) {
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        writing.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    waitForReader()
                } else if errno != EINTR {
                    return
                }
            }
        }
    }

    /// Some terminal's other user made the descriptor non-blocking; lines shall stay whole all the same.
    private func waitForReader() {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wanted, 1, -1)
    }
}
