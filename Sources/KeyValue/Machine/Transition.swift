import ByteCoding

/// One call of `KeyValueMachine.apply` in progress: the batch that collects its effects, and the view of the state that
/// its later commands have.
struct Transition<Store: StateStore> {
    let store: Store
    private let batch: Store.Batch
    let group: UInt64
    private var overlay: Overlay?
    let sessions: SessionTable
    var sessionChanges = SessionChanges()
    /// Keys that were removed, and removals of all keys.
    private(set) var removals = 0

    /// - Parameter tracksWrites: whether any command will read; if not, writes are not remembered.
    init(store: Store, batch: Store.Batch, group: UInt64, sessions: SessionTable, tracksWrites: Bool) {
        self.store = store
        self.batch = batch
        self.group = group
        self.sessions = sessions
        overlay = tracksWrites ? Overlay() : nil
    }

    /// Executes all commands of a block; `settle` gets the outcomes of each segment whose origin `isWanted`.
    mutating func apply(
        _ payload: Bytes,
        index: UInt64,
        isWanted: (Origin) -> Bool,
        settle: (Origin, [Outcome]) -> Void
    ) throws(ApplyError) {
        try payload.withUnsafeBytes { (memory) throws(ApplyError) in
            let block = try block(memory, index: index)
            var context = CommandContext(
                version: Version(index: index, ordinal: 0), stamp: block.stamp, isWanted: false, payload: payload,
                memory: memory)
            var segments = block.segments
            while let segment = try next(&segments, context) {
                context.isWanted = isWanted(segment.origin)
                let outcomes = try apply(segment, &context)
                if context.isWanted { settle(segment.origin, outcomes) }
            }
        }
    }

    /// Executes the commands of a segment; returns their outcomes if they are wanted, and nothing otherwise.
    private mutating func apply(
        _ segment: SegmentView, _ context: inout CommandContext
    ) throws(ApplyError) -> [Outcome] {
        var outcomes: [Outcome] = []
        if context.isWanted { outcomes.reserveCapacity(segment.count) }
        var commands = segment.commands
        while let command = try next(&commands, context) {
            let outcome = try execute(command, context)
            if context.isWanted { outcomes.append(outcome) }
            context.version.ordinal += 1
        }
        return outcomes
    }
}

// Outside of the generic type, so that nobody looks its type up for each command.

private func block(_ memory: UnsafeRawBufferPointer, index: UInt64) throws(ApplyError) -> Block {
    do throws(FormatError) { return try Block(memory) } catch { throw .payload(index: index, error) }
}

private func next(
    _ segments: inout SegmentCursor, _ context: CommandContext
) throws(ApplyError) -> SegmentView? {
    do throws(FormatError) {
        return try segments.next()
    } catch {
        throw .payload(index: context.version.index, error)
    }
}

private func next(
    _ commands: inout CommandCursor, _ context: CommandContext
) throws(ApplyError) -> Command? {
    do throws(FormatError) {
        guard let raw = try commands.next() else { return nil }
        return try Command(raw)
    } catch {
        throw .payload(index: context.version.index, error)
    }
}

/// The state as the commands see it.
extension Transition {
    /// The value of a key and when it expires; the pointer is valid only where it is given.
    struct Current {
        var value: UnsafeRawBufferPointer
        var expiry: UInt64?
    }

    /// Gives `body` what `key` holds after everything that this batch did so far; `nil`: nothing.
    func withCurrent<R>(
        _ key: UnsafeRawBufferPointer, _ context: CommandContext, _ body: (Current?) -> R
    ) throws(ApplyError) -> R {
        guard let overlay else { preconditionFailure("a command of a blind batch reads") }
        switch overlay.entry(for: context.bytes(of: key)) {
        case .value(let value, let header):
            return value.withUnsafeBytes { body(Current(value: $0, expiry: header.expiry)) }
        case .growing(let growing):
            return growing.bytes.withUnsafeBytes { body(Current(value: $0, expiry: growing.header.expiry)) }
        case .absent:
            return body(nil)
        case nil:
            return try withStored(key, body)
        }
    }

    private func withStored<R>(
        _ key: UnsafeRawBufferPointer, _ body: (Current?) -> R
    ) throws(ApplyError) -> R {
        let result: Result<R, ValueFormatError>
        do throws(StateStoreError) {
            result = try StateKey.withUser(key, group: group) { (key) throws(StateStoreError) in
                try store.read(key, tier: .all) { stored in
                    guard let stored else { return .success(body(nil)) }
                    do throws(ValueFormatError) {
                        let (header, value) = try ValueHeader.decode(stored)
                        return .success(body(Current(value: value, expiry: header.expiry)))
                    } catch {
                        return .failure(error)
                    }
                }
            }
        } catch {
            throw .store(error)
        }
        do throws(ValueFormatError) { return try result.get() } catch { throw .storedValue(error) }
    }

    /// Writes a value that lies in the block.
    mutating func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ context: CommandContext) {
        let header = ValueHeader(version: context.version)
        if overlay == nil { return emit(key, value, header) }
        overlay?.set(context.bytes(of: key), .value(context.bytes(of: value), header))
    }

    /// Writes a value that a command has computed from an older one.
    mutating func put(_ key: UnsafeRawBufferPointer, _ value: Bytes, expiry: UInt64?, _ context: CommandContext) {
        overlay?.set(context.bytes(of: key), .value(value, ValueHeader(version: context.version, expiry: expiry)))
    }

    /// Lengthens a value by bytes of the block; the first time in a batch it is copied, later ones cost the suffix alone.
    ///
    /// - Returns: the new length; `nil`, and nothing changed, if that would exceed `Command.maxValueBytes`.
    mutating func lengthen(
        _ key: UnsafeRawBufferPointer, _ suffix: UnsafeRawBufferPointer, _ context: CommandContext
    ) throws(ApplyError) -> Int? {
        let name = context.bytes(of: key)
        if case .growing(let growing)? = overlay?.entry(for: name) {
            guard growing.bytes.count + suffix.count <= Command.maxValueBytes else { return nil }
            growing.bytes.append(contentsOf: suffix)
            growing.header = ValueHeader(version: context.version, expiry: growing.header.expiry)
            return growing.bytes.count
        }
        let joined = try withCurrent(key, context) { current -> Overlay.Growing? in
            let count = (current?.value.count ?? 0) + suffix.count
            guard count <= Command.maxValueBytes else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count)
            if let current { bytes.append(contentsOf: current.value) }
            bytes.append(contentsOf: suffix)
            return Overlay.Growing(
                bytes: bytes, header: ValueHeader(version: context.version, expiry: current?.expiry))
        }
        guard let joined else { return nil }
        overlay?.set(name, .growing(joined))
        return joined.bytes.count
    }

    /// Puts what was kept back into the batch. The last call on a transition.
    func finish() {
        sessionChanges.writeOut(sessions, to: batch, group: group)
        overlay?.writeOut { key, entry in
            key.withUnsafeBytes { key in
                switch entry {
                case .value(let value, let header): value.withUnsafeBytes { emit(key, $0, header) }
                case .growing(let growing): growing.bytes.withUnsafeBytes { emit(key, $0, growing.header) }
                case .absent: StateKey.withUser(key, group: group) { batch.delete($0) }
                }
            }
        }
    }

    private func emit(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ header: ValueHeader) {
        let (batch, group) = (batch, group)
        header.withBytes { header in
            StateKey.withUser(key, group: group) { batch.put($0, header: header, value: value) }
        }
    }

    mutating func delete(_ key: UnsafeRawBufferPointer, _ context: CommandContext) {
        removals += 1
        overlay?.set(context.bytes(of: key), .absent)
    }

    mutating func deleteAll() {
        removals += 1
        let (lower, upper) = StateKey.userRange(group: group)
        batch.deleteRange(from: lower, to: upper)
        overlay?.flush()
    }
}
