import Foundation

/// How many descriptors this program and its children may have.
enum OpenFiles {
    /// Raises the soft limit, 1,024 on many systems, to the hard one: a thousand connections need as many descriptors,
    /// here and in the servers.
    static func raiseLimit() { _ = raised }

    private static let raised: Void = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }()
}
