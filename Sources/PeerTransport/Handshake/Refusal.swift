/// Why one side does not want the other, as it is said on the connection.
struct Refusal: Hashable, Sendable {
    enum Kind: Sendable, CaseIterable {
        /// A person must look: the dialling side tries again after the longest pause.
        case refused
        /// It will pass: the dialling side tries again after the usual pauses.
        case notYet
        /// As `refused`, and the delegate of the refused side is told.
        case anotherDirectory
        /// For good: the delegate of the refused side is told.
        case removed

        var record: HandshakeRecord.Kind {
            switch self {
            case .refused: .refusal
            case .notYet: .notYet
            case .anotherDirectory: .anotherDirectory
            case .removed: .removed
            }
        }

        /// How the dialling side says it to who has answered, in a frame.
        var frame: FrameKind {
            switch self {
            case .refused, .notYet, .anotherDirectory: .refusal
            case .removed: .removed
            }
        }
    }

    var kind: Kind
    /// For both logs.
    var sentence: String
    /// Of a removal that came: who says so.
    var answerer: PeerIdentity?

    init(_ kind: Kind, _ sentence: String, by answerer: PeerIdentity? = nil) {
        self.kind = kind
        self.sentence = sentence
        self.answerer = answerer
    }
}

extension PeerVerdict {
    /// `nil`: welcome.
    var refusal: Refusal? {
        switch self {
        case .welcome: nil
        case .notYet(let sentence): Refusal(.notYet, sentence)
        case .refused(let sentence): Refusal(.refused, sentence)
        case .anotherDirectory(let sentence): Refusal(.anotherDirectory, sentence)
        case .removed(let sentence): Refusal(.removed, sentence)
        }
    }
}
