import Glibc
import NIOCore

/// Why the admin door cannot listen. Scope: the node.
package enum AdminBindError: Error, Hashable, Sendable {
    /// Another socket listens there.
    case addressInUse
    /// A port below 1024 without the capability.
    case permissionDenied
    /// No interface of this machine has the address, or the name has none.
    case addressNotAvailable
    /// Anything else, e.g. too many open files; `errno` 0 when the system gave none.
    case other(errno: CInt, description: String)

    init(_ error: any Error) {
        switch error {
        case let error as IOError: self.init(errno: error.errnoCode, description: error.description)
        case is SocketAddressError: self = .addressNotAvailable
        default: self = .other(errno: 0, description: "\(error)")
        }
    }

    private init(errno code: CInt, description: String) {
        switch code {
        case EADDRINUSE: self = .addressInUse
        case EACCES, EPERM: self = .permissionDenied
        case EADDRNOTAVAIL: self = .addressNotAvailable
        default: self = .other(errno: code, description: description)
        }
    }
}

extension AdminBindError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .addressInUse: "address already in use"
        case .permissionDenied: "permission denied"
        case .addressNotAvailable: "no such address on this machine"
        case .other(_, let description): description
        }
    }
}
