import Glibc

/// How many files and sockets this process may have open.
package struct OpenFileLimit: Hashable, Sendable {
    package var soft: UInt64
    package var hard: UInt64

    /// Raises the soft limit to the hard one, which needs no privilege: the low default exists only for programs that
    /// use select(2), and a database with many clients soon passes it.
    /// - Returns: the limits in force now; they may be what they were, if the system refused.
    package static func raise() -> OpenFileLimit {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        var wanted = limit
        wanted.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted) == 0 { limit = wanted }
        return OpenFileLimit(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }
}
