import Glibc

/// The address in `NOTIFY_SOCKET`: a path, or with a leading `@` a name in Linux' abstract namespace.
struct NotifyAddress: Sendable {
    /// `sun_path` as it goes into the address: an abstract name starts with a zero byte and has no terminator, so the
    /// length of the address is what ends it.
    private let path: [UInt8]

    /// Nil for what is neither a path nor an abstract name, or does not fit.
    init?(_ text: String) {
        var bytes = Array(text.utf8)
        guard bytes.count > 1, bytes.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "@"): bytes[0] = 0
        case UInt8(ascii: "/"): bytes.append(0)
        default: return nil
        }
        path = bytes
    }

    /// Sends one datagram without blocking. A manager that is gone or too busy is no concern of ours.
    func send(_ message: String, from descriptor: Int32) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count)
        let bytes = Array(message.utf8)
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, length)
            }
        }
    }
}
