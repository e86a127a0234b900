public import ByteCoding

/// How a membership change stands in the payload of its entry; integers little-endian.
///
/// ```
/// version u8 | transition u8 | count u32 | count steps | length u32 | context
///
/// step    kind u8 (1 add voter, 2 add learner, 3 remove) | node u64
/// ```
extension MembershipChange {
    /// The layout that this build writes, and the only one that it reads.
    static let wireVersion: UInt8 = 1

    private static let stepBytes = 1 + 8

    public func encode() -> Bytes {
        var writer = ByteWriter(reservingCapacity: 10 + steps.count * Self.stepBytes + context.count)
        writer.append(Self.wireVersion)
        writer.append(transition.rawValue)
        writer.append(UInt32(steps.count))
        for step in steps {
            writer.append(step.kind)
            writer.append(step.node.rawValue)
        }
        writer.appendLengthPrefixed(context)
        return writer.take()
    }

    /// - Throws: `MalformedBytes` for another version, an unknown kind or bytes too many or too few. What is in the log
    ///   was made by `encode`, so in an entry that fits its checksum this means a newer version.
    public init(decoding bytes: Bytes) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.u8("change version") == Self.wireVersion else { throw MalformedBytes("change version", at: 0) }
        guard let transition = Transition(rawValue: try reader.u8("transition")) else {
            throw MalformedBytes("transition", at: 1)
        }
        let count = Int(try reader.u32("step count"))
        guard count <= reader.remaining / Self.stepBytes else { throw MalformedBytes("step count", at: 2) }
        var steps: [Step] = []
        steps.reserveCapacity(count)
        for _ in 0..<count {
            let offset = reader.offset
            let kind = try reader.u8("step kind")
            guard let step = Step(kind: kind, node: NodeID(try reader.u64("step node"))) else {
                throw MalformedBytes("step kind", at: offset)
            }
            steps.append(step)
        }
        self.init(steps, transition: transition, context: try reader.lengthPrefixed("context"))
        guard reader.isAtEnd else { throw MalformedBytes("end of the change", at: reader.offset) }
    }
}

extension MembershipChange.Step {
    /// Numbers are never reused.
    fileprivate var kind: UInt8 {
        switch self {
        case .addVoter: 1
        case .addLearner: 2
        case .remove: 3
        }
    }

    fileprivate init?(kind: UInt8, node: NodeID) {
        switch kind {
        case 1: self = .addVoter(node)
        case 2: self = .addLearner(node)
        case 3: self = .remove(node)
        default: return nil
        }
    }
}
