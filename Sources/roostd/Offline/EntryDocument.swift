import ByteCoding
import KeyValue
import Raft
import RaftStorage

/// A log entry with what it does.
struct EntryDocument: Codable {
    var index: UInt64
    var term: UInt64
    /// `normal`, `noop` or `membership`.
    var kind: String
    var bytes: Int
    /// Of the block, milliseconds since 1970.
    var stamp: UInt64?
    /// `node-incarnation-sequence` of each segment.
    var origins: [String]?
    /// One sentence for each command, or for the change of the membership.
    var commands: [String]
    /// Why the payload can't be read.
    var error: String?

    init(_ entry: Entry) {
        index = entry.index.rawValue
        term = entry.term.rawValue
        kind = "\(entry.kind)"
        bytes = entry.payload.count
        commands = []
        do {
            switch entry.kind {
            case .normal: try read(block: entry.payload)
            case .noop: break
            case .membership: commands = CommandText.of(try MembershipChange(decoding: entry.payload))
            }
        } catch { self.error = "\(error)" }
    }

    private mutating func read(block payload: Bytes) throws(FormatError) {
        var (origins, commands): ([String], [String]) = ([], [])
        stamp = try payload.withUnsafeBytes { (bytes) throws(FormatError) in
            let block = try Block(bytes)
            var segments = block.segments
            while let segment = try segments.next() {
                let origin = segment.origin
                origins.append("\(origin.node)-\(IdentityText.hexadecimal(origin.incarnation))-\(origin.sequence)")
                var cursor = segment.commands
                while let raw = try cursor.next() { commands.append(CommandText.of(try Command(raw))) }
            }
            return block.stamp
        }
        self.origins = origins
        self.commands = commands
    }

    var line: String {
        let head = "\(index)\tterm \(term)\t\(kind)\t\(bytes) B"
        let shown = commands.prefix(8).joined(separator: "; ")
        let rest = commands.count > 8 ? "; and \(commands.count - 8) more" : ""
        return head + "\t" + (error.map { "can't be read: \($0)" } ?? shown + rest)
    }
}

/// A command as a sentence: names and sizes, not values.
enum CommandText {
    static func of(_ command: Command) -> String {
        switch command {
        case .set(let key, let value, let condition, let returnOld):
            "set \(KeyText.of(key)) (\(value.count) B\(suffix(condition))\(returnOld ? ", get" : ""))"
        case .delete(let keys): "delete " + keys.map { KeyText.of($0) }.joined(separator: " ")
        case .append(let key, let suffix): "append \(KeyText.of(key)) (\(suffix.count) B)"
        case .increment(let key, let delta): "increment \(KeyText.of(key)) by \(delta)"
        case .multiSet(let pairs): "set \(pairs.count) keys"
        case .flushAll: "delete everything"
        case .openSession(let limits): "open a session (window \(limits.window))"
        case .closeSession(let session): "close session \(session)"
        case .once(let request): "request \(request.sequence) of session \(request.session)"
        }
    }

    static func of(_ change: MembershipChange) -> [String] {
        if change.leavesJoint { return ["leave the joint configuration"] }
        return change.steps.map { step in
            switch step {
            case .addVoter(let node): "add node \(node) as a voter"
            case .addLearner(let node): "add node \(node) as a learner"
            case .remove(let node): "remove node \(node)"
            }
        }
    }

    private static func suffix(_ condition: SetCondition) -> String {
        switch condition {
        case .none: ""
        case .ifAbsent: ", if absent"
        case .ifPresent: ", if present"
        case .ifEqual: ", if equal"
        }
    }
}
