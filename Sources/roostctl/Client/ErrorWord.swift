import RESP

/// What the first word of an error reply says about the command.
enum ErrorWord {
    /// Certainly not applied, and worth another attempt, here or at another node.
    case notApplied
    /// It may have taken effect, or may still do so.
    case outcomeUnknown
    /// Refused for good.
    case refused

    /// `nil` if the reply is no error.
    init?(_ reply: Reply) {
        guard let word = reply.errorWord else { return nil }
        switch word {
        case "LOADING", "CLUSTERDOWN", "TRYAGAIN", "READONLY", "BUSY", "MOVED": self = .notApplied
        case "INDOUBT", "NOSESSION", "STALEREQ": self = .outcomeUnknown
        default: self = .refused
        }
    }
}
