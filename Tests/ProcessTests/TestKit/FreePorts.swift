import Glibc
import Synchronization

/// Ports nobody listens on.
///
/// They lie below the range from which the kernel gives ports to outgoing connections (32768 and up): a port that is
/// free now can there be taken, at any moment, by any client's connect.
enum FreePorts {
    private static let given = Mutex<Set<UInt16>>([])

    static func next() throws -> UInt16 {
        for _ in 0..<1_000 {
            let port = UInt16.random(in: 10_240..<32_768)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if canListen(on: port) { return port }
        }
        throw TestFailure("no free port in a thousand tries")
    }

    private static func canListen(on port: UInt16) -> Bool {
        guard let listener = try? ListeningSocket(port: port) else { return false }
        listener.close()
        return true
    }
}
