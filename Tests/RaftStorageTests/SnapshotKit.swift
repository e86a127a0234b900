import ByteCoding
import KeyValue
import Raft
import Testing

@testable import RaftStorage

/// A snapshot as it goes over the wire.
struct SnapshotBytes {
    var description: SnapshotDescription
    var bytes: Bytes

    init(description: SnapshotDescription, bytes: Bytes) {
        self.description = description
        self.bytes = bytes
    }

    init(_ reader: SnapshotReader) throws {
        description = try SnapshotDescription(decoding: reader.metadata)
        bytes = try reader.read(offset: 0, count: Int(reader.totalBytes))
    }

    /// Of a node of the cluster that applied `1 ... last` in term 2, from a store in memory.
    static func make(last: UInt64, payloadBytes: Int = 0) throws -> SnapshotBytes {
        var configuration = try TestNode().configuration()
        configuration.engine = .memory
        configuration.node = NodeID(1)
        let store = try NodeStore.open(configuration)
        _ = try store.recoverApplying()
        try store.fill(1...last, term: 2, payloadBytes: payloadBytes)
        return try SnapshotBytes(try store.makeSnapshot(group))
    }
}

let sender = NodeID(1)

extension NodeStore {
    /// Appends, commits and applies entries.
    func fill(_ indexes: ClosedRange<UInt64>, term: UInt64, payloadBytes: Int = 0) throws {
        let padding = String(repeating: "x", count: payloadBytes)
        let added = indexes.map { index in
            Entry(
                group: group, id: EntryID(term: Term(term), index: LogIndex(index)), kind: .normal,
                payload: Bytes("entry \(index)" + padding))
        }
        try write([batch(added, commit: indexes.upperBound, term: term)])
        try apply(added)
    }

    /// Receives in chunks and checks.
    func receive(_ snapshot: SnapshotBytes, chunkBytes: Int = 1000) throws(SnapshotError) -> ReceivedSnapshot {
        let writer = try receiveSnapshot(snapshot.description, from: sender)
        while writer.offset < UInt64(snapshot.bytes.count) {
            let start = Int(writer.offset)
            let end = min(start + chunkBytes, snapshot.bytes.count)
            try writer.append(snapshot.bytes.slice(start..<end), at: writer.offset)
        }
        return try writer.finish()
    }

    /// All pairs of the state but the applied record, as text.
    func stateContent() throws -> [String] {
        var found: [String] = []
        let (lower, upper) = StateKey.contentRange(group: group.rawValue)
        try state.scan(from: lower, to: upper) { _, value in
            found.append(Bytes(copying: value).text)
            return true
        }
        return found
    }

    /// What the log holds, wherever it was cut.
    func logIndexes() throws -> [UInt64] {
        var found: [UInt64] = []
        try records.log.scan(group, LogIndex(1)...LogIndex(.max)) { (entry) throws(StorageError) in
            found.append(entry.index.rawValue)
            return true
        }
        return found
    }

    func get(_ index: UInt64) throws -> String? {
        try stateKey(LogIndex(index)).withUnsafeBytes { key in
            try state.read(key, tier: .all) { $0.map { Bytes(copying: $0).text } }
        }
    }
}

func payloads(_ last: UInt64) -> [String] { last == 0 ? [] : (1...last).map { "entry \($0)" } }
