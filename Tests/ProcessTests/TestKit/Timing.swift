/// How patient the daemons of a test are.
enum Timing {
    /// Nobody takes a pause of a busy machine for a death, and every command gets its answer. For tests that expect that.
    case calm
    /// What ships. For tests whose clients take every honest answer, and for those that break things and look at the clock.
    case shipped

    /// Flags for the command line, without those that `arguments` sets otherwise.
    func flags(beside arguments: [String]) -> [String] {
        guard self == .calm else { return [] }
        let flags = [("--election-timeout", "1s"), ("--park-timeout", "20s"), ("--request-timeout", "30s")]
        return flags.filter { !arguments.contains($0.0) }.flatMap { [$0.0, $0.1] }
    }
}
