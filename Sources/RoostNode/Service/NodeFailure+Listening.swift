package import AdminHTTP
import Glibc

extension NodeFailure {
    /// A door that cannot be opened.
    /// - Parameters:
    ///   - setting: the key of the address, e.g. `listen.redis`.
    ///   - errno: what the system said; 0 if it said nothing.
    package static func cannotListen(
        _ setting: String, _ address: HostPort, errno: CInt, _ description: String
    ) -> NodeFailure {
        let flag = "--" + setting.map { $0 == "." ? "-" : String($0) }.joined()
        let cause = "\(setting) \(address): \(description)"
        return switch errno {
        case EADDRINUSE:
            NodeFailure(.operatingSystem, cause: cause, remedy: "stop what listens there, or give another \(flag)")
        case EACCES, EPERM:
            NodeFailure(.permission, cause: cause, remedy: "give a port from 1024 up with \(flag)")
        case EADDRNOTAVAIL:
            NodeFailure(.operatingSystem, cause: cause, remedy: "give an address of this machine with \(flag)")
        default:
            NodeFailure(.operatingSystem, cause: cause, remedy: "see errno \(errno), or give another \(flag)")
        }
    }

    /// The HTTP door cannot be opened.
    package static func cannotListen(_ address: HostPort, _ error: AdminBindError) -> NodeFailure {
        let code: CInt =
            switch error {
            case .addressInUse: EADDRINUSE
            case .permissionDenied: EACCES
            case .addressNotAvailable: EADDRNOTAVAIL
            case .other(let code, _): code
            }
        return cannotListen("listen.http", address, errno: code, "\(error)")
    }
}
