import Foundation

extension DaemonProcess {
    /// RocksDB's assertions abort the process; Swift would first take seconds to draw a picture of that.
    static let withoutBacktrace = ["SWIFT_BACKTRACE": "enable=no"]

    /// Waits until it answers a linearizable read, or has ended.
    ///
    /// - Returns: whether it serves.
    func servesOrEnds(within limit: Duration = .seconds(40)) throws -> Bool {
        try eventually("node \(node) serves or ends", within: limit) {
            if try current.ended != nil { return false }
            return try connect(timeout: .seconds(5))("GET", "no such key").errorText == nil ? true : nil
        }
    }

    /// How often it has repaired itself, in all of its processes.
    var repairs: Int { log.components(separatedBy: "this node has repaired itself").count - 1 }

    /// The last line of its log, which says why it ended.
    var lastWord: String { log.split(separator: "\n").last.map(String.init) ?? "no log" }
}
