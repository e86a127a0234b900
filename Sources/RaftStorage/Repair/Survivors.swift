import ByteCoding
import KeyValue
import Raft
import RocksDB

/// What can still be read of a damaged directory and is worth keeping: see `Repair`.
struct Survivors {
    let generation: UInt64
    /// Of the state on disk: committed, and whole.
    let applied: EntryID
    let truncated: EntryID
    let hardState: HardState
    /// The entries that make a log with the marker, up to the first that is missing or damaged.
    let survey: LogSurvey
    let commit: LogIndex

    /// - Parameters:
    ///   - loss: what is given up need not be readable.
    ///   - onEntries: gets how many entries of the log are read, now and then.
    /// - Throws: `.corruption` when it is not known any more whose directory this is or how far the state has come.
    init(
        _ engine: RocksEngine, _ identity: Identity, _ group: GroupID, without loss: Repair.Loss,
        onEntries: (Int) -> Void
    ) throws(StorageError) {
        let readingLog = loss == .writeAheadLog
        if engine.family(.raft) == nil {
            // An earlier repair stopped between two steps.
            _ = try storage("make the log's family") { () throws(EngineError) in try engine.create(.raft) }
        }
        let (records, generation) = try EngineRecordStore.look(at: engine, identity)
        self.generation = generation
        let position = try Self.position(engine, records.stateFamily, group, isNeeded: loss != .state)
        applied = position?.id ?? .zero
        let head = try Self.head(records, group, isNeeded: readingLog)
        (truncated, hardState, commit) = (head.truncated, head.hardState, head.commit)
        survey =
            try readingLog
            ? Self.survey(records.log, group, behind: head.truncated, onEntries) : LogSurvey(after: head.truncated)
    }

    /// Whether nobody else was ever a member or was ever met, as far as can be read. Changes nothing.
    ///
    /// - Throws: `.corruption` when it is not known any more.
    static func isAlone(
        _ identity: Identity, in directory: DataDirectory, _ group: GroupID
    ) throws(StorageError) -> Bool {
        guard identity.founders == [identity.node] else { return false }
        if let company = try Company(notedIn: directory) { return company == .alone }
        // The metadata is flushed with every write, and the state has no other place.
        return try RocksEngine.withTables(of: directory) { (engine) throws(StorageError) in
            try isAlone(identity, engine, group)
        }
    }

    private static func isAlone(
        _ identity: Identity, _ engine: RocksEngine, _ group: GroupID
    ) throws(StorageError) -> Bool {
        guard let meta = engine.family(.meta) else {
            throw StorageError(.corruption, "the family \(FamilyName.meta) of the database is missing")
        }
        var hasMet = false
        let generation = try storage("read metadata") { () throws(EngineError) in
            try engine.scan(from: Bytes(), to: nil, in: meta, at: nil, isLong: false) { key, _ in
                hasMet = hasMet || MetadataKey.peer(of: Bytes(copying: key)) != nil
                return !hasMet
            }
            return try engine.value(of: MetadataKey.generation, in: meta)
        }
        guard !hasMet, let generation else { return false }
        let number = try NumberRecord.decode(generation, key: MetadataKey.generation, "state generation")
        guard let state = engine.family(.state(number)) else { return true }
        let position = try position(engine, state, group, isNeeded: false)
        return position.map { $0.membership.all == [identity.node] } ?? true
    }

    /// The head of an empty log behind the state.
    var headBehindState: LogHead {
        LogHead(hardState: hardState.atLeast(applied.term), truncated: applied, commit: applied.index)
    }

    /// The log that fits the state: what is left of it, or an empty one if that ends before the state.
    func trimmed() -> (applied: EntryID, head: LogHead, last: LogIndex) {
        guard applied.index <= survey.last.index, applied.index >= truncated.index,
            survey.term(at: applied.index, truncated: truncated) == applied.term
        else { return (applied, headBehindState, applied.index) }
        let head = LogHead(
            hardState: hardState.atLeast(survey.last.term), truncated: truncated,
            commit: max(applied.index, min(commit, survey.last.index)))
        return (applied, head, survey.last.index)
    }

    private static func position(
        _ engine: RocksEngine, _ state: ColumnFamily, _ group: GroupID, isNeeded: Bool
    ) throws(StorageError) -> AppliedPosition? {
        do throws(StorageError) {
            let value = try storage("read the applied record of group \(group)") { () throws(EngineError) in
                try engine.value(of: AppliedRecord.key(group: group.rawValue), in: state)
            }
            return try value.map { (value) throws(StorageError) in try AppliedPosition(record: value, group: group) }
        } catch {
            if isNeeded || error.kind != .corruption { throw error }
            return nil
        }
    }

    private static func head(
        _ records: EngineRecordStore<RocksEngine>, _ group: GroupID, isNeeded: Bool
    ) throws(StorageError) -> LogHead {
        do throws(StorageError) { return try records.log.head(of: group) } catch {
            if isNeeded || error.kind != .corruption { throw error }
            return LogHead()
        }
    }

    private static func survey(
        _ log: any LogStore, _ group: GroupID, behind truncated: EntryID, _ onEntries: (Int) -> Void
    ) throws(StorageError) -> LogSurvey {
        var survey = LogSurvey(after: truncated)
        do throws(StorageError) {
            try log.scan(group, truncated.index.next...LogIndex(.max)) { (entry) throws(StorageError) in
                try survey.add(entry.id, of: group)
                if survey.count.isMultiple(of: 1024) { onEntries(survey.count) }
                return true
            }
        } catch { if error.kind != .corruption { throw error } }
        return survey
    }
}

extension HardState {
    /// A vote of an older term is of no use any more.
    fileprivate func atLeast(_ other: Term) -> HardState { term >= other ? self : HardState(term: other) }
}
