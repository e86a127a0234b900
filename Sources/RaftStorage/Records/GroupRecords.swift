import ByteCoding
import Raft

/// A group's hard state: `term u64 | vote u64`, 0 being no vote.
enum HardStateRecord {
    static func encode(_ state: HardState, group: GroupID) -> Bytes {
        Record.encode(key: RaftKey.hardState(group)) { writer in
            writer.append(state.term.rawValue)
            writer.append(state.vote?.rawValue ?? 0)
        }
    }

    static func decode(_ value: Bytes, group: GroupID) throws(StorageError) -> HardState {
        try Record.decode(value, key: RaftKey.hardState(group), "hard state of group \(group)") {
            (reader) throws(MalformedBytes) in
            let term = Term(try reader.u64("term"))
            let vote = try reader.u64("vote")
            return HardState(term: term, vote: vote == 0 ? nil : NodeID(vote))
        }
    }
}

/// The last entry that was cut off a group's log: `index u64 | term u64`.
enum TruncationRecord {
    static func encode(_ id: EntryID, group: GroupID) -> Bytes {
        Record.encode(key: RaftKey.truncation(group)) { writer in
            writer.append(id.index.rawValue)
            writer.append(id.term.rawValue)
        }
    }

    static func decode(_ value: Bytes, group: GroupID) throws(StorageError) -> EntryID {
        try Record.decode(value, key: RaftKey.truncation(group), "truncation marker of group \(group)") {
            (reader) throws(MalformedBytes) in
            let index = LogIndex(try reader.u64("index"))
            return EntryID(term: Term(try reader.u64("term")), index: index)
        }
    }
}

/// The commit index that was known when entries were last written: `index u64`.
enum CommitRecord {
    static func encode(_ index: LogIndex, group: GroupID) -> Bytes {
        Record.encode(key: RaftKey.commit(group)) { $0.append(index.rawValue) }
    }

    static func decode(_ value: Bytes, group: GroupID) throws(StorageError) -> LogIndex {
        try Record.decode(value, key: RaftKey.commit(group), "commit hint of group \(group)") {
            (reader) throws(MalformedBytes) in LogIndex(try reader.u64("index"))
        }
    }
}
