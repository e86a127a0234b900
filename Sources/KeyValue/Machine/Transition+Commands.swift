import ByteCoding

/// What each command does and answers: Redis 7's semantics, `IFEQ` as in Valkey.
extension Transition {
    mutating func execute(_ command: Command, _ context: CommandContext) throws(ApplyError) -> Outcome {
        switch command {
        case .set(let key, let value, let condition, let returnOld):
            return try set(key, value, condition, returnOld: returnOld, context)
        case .delete(let keys):
            return try delete(keys, context)
        case .append(let key, let suffix):
            return try append(key, suffix, context)
        case .increment(let key, let delta):
            return try increment(key, by: delta, context)
        case .multiSet(let pairs):
            for (key, value) in pairs { put(key, value, context) }
            return .ok
        case .flushAll:
            deleteAll()
            return .ok
        case .openSession(let limits):
            return try openSession(limits, context)
        case .closeSession(let session):
            return try closeSession(session, context)
        case .once(let request):
            return try once(request, context)
        }
    }

    /// With `returnOld` the answer is the old value, whether the condition held or not; that is how Redis answers
    /// `SET k v NX GET`. A set that takes place forgets the key's expiry.
    private mutating func set(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        _ condition: SetCondition,
        returnOld: Bool,
        _ context: CommandContext
    ) throws(ApplyError) -> Outcome {
        let answersOld = returnOld && context.isWanted
        if case .none = condition, !answersOld {
            put(key, value, context)
            return .ok
        }
        let (holds, old) = try withCurrent(key, context) { current -> (Bool, Outcome) in
            guard answersOld, let current else { return (Self.holds(condition, current), .null) }
            guard current.value.count <= context.maxOldValueBytes else { return (false, .failure(.oldValueTooLong)) }
            return (Self.holds(condition, current), .value(Bytes(copying: current.value)))
        }
        if holds { put(key, value, context) }
        return returnOld ? old : holds ? .ok : .null
    }

    private static func holds(_ condition: SetCondition, _ current: Current?) -> Bool {
        switch condition {
        case .none: true
        case .ifAbsent: current == nil
        case .ifPresent: current != nil
        case .ifEqual(let expected): current.map { $0.value.elementsEqual(expected) } ?? false
        }
    }

    /// Counts the keys that existed: one that is named twice counts once.
    private mutating func delete(_ keys: KeyList, _ context: CommandContext) throws(ApplyError) -> Outcome {
        var count: Int64 = 0
        for key in keys where try withCurrent(key, context, { $0 != nil }) {
            delete(key, context)
            count += 1
        }
        return .integer(count)
    }

    /// Answers the new length. A key that does not exist is made, even by an empty suffix.
    private mutating func append(
        _ key: UnsafeRawBufferPointer, _ suffix: UnsafeRawBufferPointer, _ context: CommandContext
    ) throws(ApplyError) -> Outcome {
        guard let count = try lengthen(key, suffix, context) else { return .failure(.valueTooLong) }
        return .integer(Int64(count))
    }

    /// Answers the new number. A key that does not exist counts as 0.
    private mutating func increment(
        _ key: UnsafeRawBufferPointer, by delta: Int64, _ context: CommandContext
    ) throws(ApplyError) -> Outcome {
        let (old, expiry) = try withCurrent(key, context) { current -> (Int64?, UInt64?) in
            guard let current else { return (0, nil) }
            return (DecimalInteger.parse(current.value), current.expiry)
        }
        guard let old else { return .failure(.notAnInteger) }
        let (sum, overflow) = old.addingReportingOverflow(delta)
        guard !overflow else { return .failure(.overflow) }
        put(key, Bytes(String(sum)), expiry: expiry, context)
        return .integer(sum)
    }
}
