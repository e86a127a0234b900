import Glibc
import NIOCore
import NIOPosix

/// The operating system's words for an error of a channel, and its number if it has one.
struct ErrorText: Sendable {
    var errno: Int32
    var text: String

    init(_ error: any Error) {
        switch error {
        case let error as IOError: self.init(errno: error.errnoCode)
        case let error as NIOConnectionError:
            // Every address of the host was tried; what the last said stands for all.
            if let last = error.connectionErrors.last {
                self.init(last.error)
            } else {
                self.init(errno: 0, text: "cannot resolve the host name \(error.host)")
            }
        case ChannelError.connectTimeout: self.init(errno: ETIMEDOUT)
        default:
            self.init(errno: 0, text: "\(error)")
        }
    }

    /// Whether the other side just went away.
    var isClosedByPeer: Bool { errno == ECONNRESET || errno == EPIPE }

    private init(errno: Int32) { self.init(errno: errno, text: String(cString: strerror(errno))) }

    private init(errno: Int32, text: String) {
        self.errno = errno
        self.text = text
    }
}
