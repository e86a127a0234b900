/// Why the process ended, for systemd and for operators. The numbers are those of sysexits.h where it has one.
package enum ExitCode: Int32, CaseIterable, Sendable {
    case success = 0
    case unexpected = 1
    case usage = 64
    case corruption = 65
    case foreignData = 66
    case noCluster = 69
    case invariantViolated = 70
    case operatingSystem = 71
    case cannotCreateData = 73
    case inputOutput = 74
    case dataLocked = 75
    case permission = 77
    case configuration = 78

    /// The words in brackets on the last line.
    package var meaning: String {
        switch self {
        case .success: "clean stop or removed"
        case .unexpected: "unexpected error"
        case .usage: "usage"
        case .corruption: "corruption found"
        case .foreignData: "data directory of another cluster or node, or of a newer format"
        case .noCluster: "no cluster to join"
        case .invariantViolated: "invariant violated"
        case .operatingSystem: "operating system error"
        case .cannotCreateData: "data directory cannot be made"
        case .inputOutput: "I/O error"
        case .dataLocked: "data directory locked by another process"
        case .permission: "permission denied"
        case .configuration: "configuration"
        }
    }

    /// False where a restart would meet the same cause again, or do harm; the unit's `RestartPreventExitStatus` lists
    /// exactly these, besides success.
    package var restartMayHelp: Bool {
        switch self {
        case .unexpected, .noCluster, .invariantViolated, .operatingSystem, .inputOutput: true
        case .success, .usage, .corruption, .foreignData, .cannotCreateData, .dataLocked, .permission, .configuration:
            false
        }
    }
}
