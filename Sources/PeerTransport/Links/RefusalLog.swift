import Logging
import Synchronization

/// Logs why nodes refuse each other: a warning when the sentence is new (a line at the info level if it will pass by
/// itself), then debug, because a refused peer keeps trying.
final class RefusalLog: Sendable {
    /// Strangers choose the ids they claim; more of them than this only reach the debug level.
    static let maxRemembered = 64

    private let logger: Logger
    private let last = Mutex<[String: String]>([:])

    init(logger: Logger) { self.logger = logger }

    /// - Parameter peer: who is refused or refuses, e.g. "2" or, for a stranger, an address.
    func log(_ refusal: Refusal, message: Logger.Message, peer: String, direction: LinkDirection) {
        let sentence = refusal.sentence
        let key = "\(direction.rawValue) \(peer)"
        let isNew = last.withLock { last in
            guard last[key] != sentence else { return false }
            guard last[key] != nil || last.count < Self.maxRemembered else { return false }
            last[key] = sentence
            return true
        }
        logger.log(
            level: !isNew ? .debug : refusal.kind == .notYet ? .info : .warning, message,
            metadata: ["peer.id": "\(peer)", "peer.direction": "\(direction.rawValue)", "reason": "\(sentence)"])
    }

    /// The two agree again: the next refusal is news.
    func clear(peer: String, direction: LinkDirection) {
        last.withLock { _ = $0.removeValue(forKey: "\(direction.rawValue) \(peer)") }
    }
}
