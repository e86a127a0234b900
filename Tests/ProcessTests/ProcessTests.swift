import Testing

/// Real `roostd` and `roostctl` processes on loopback.
///
/// All suites live inside this one, so that they run one after another: each of them wants the whole machine, and
/// several of them measure time.
@Suite("Real processes", .serialized, .sandboxed) enum ProcessTests {}
