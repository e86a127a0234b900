public import ByteCoding

/// A change of the membership, as it stands in the log in an entry of kind `membership` (etcd: ConfChangeV2).
///
/// Without steps and with `transition` `.automatic` it leaves a joint configuration.
public struct MembershipChange: Hashable, Sendable {
    public enum Step: Hashable, Sendable {
        /// Makes a stranger or a learner a voter.
        case addVoter(NodeID)
        /// Makes a stranger or a voter a learner.
        case addLearner(NodeID)
        case remove(NodeID)

        public var node: NodeID {
            switch self {
            case .addVoter(let node), .addLearner(let node), .remove(let node): node
            }
        }
    }

    public enum Transition: UInt8, Sendable {
        /// Directly when at most one voter comes or goes, else through a joint configuration that is left by itself.
        case automatic = 0
        /// Through a joint configuration that is left by itself.
        case jointImplicit = 1
        /// Through a joint configuration that stays until a change without steps leaves it.
        case jointExplicit = 2
    }

    public var steps: [Step]
    public var transition: Transition
    /// Whatever the shell wants to travel with the change (say, addresses); opaque to the core.
    public var context: Bytes

    public init(_ steps: [Step], transition: Transition = .automatic, context: Bytes = Bytes()) {
        self.steps = steps
        self.transition = transition
        self.context = context
    }

    /// Leaves the joint configuration.
    public static let leaveJoint = MembershipChange([])

    public var leavesJoint: Bool { steps.isEmpty && transition == .automatic }
}

/// Why a change does not fit a membership. Such a change is refused by leaders, and without effect when applied.
public struct MembershipChangeError: Hashable, Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public var description: String
    init(_ description: String) { self.description = description }
}
