import ByteCoding

/// What clients did and saw, for the linearizability checker.
struct ClientHistory {
    struct Record {
        enum End: Hashable {
            /// Still under way, or given up: it may take effect at any later time, or never.
            case unknown
            /// Certainly no effect.
            case refused
            /// A set, an append, a deletion or a comparison that held or not.
            case wrote(integer: Int64?, isNull: Bool)
            case read(Bytes?)
        }

        var client: Int
        var operation: ClientOperation
        var invoked: WorldTime
        var answered: WorldTime?
        var end = End.unknown
    }

    private(set) var records: [Record] = []

    mutating func begin(_ operation: ClientOperation, by client: Int, at moment: WorldTime) -> Int {
        records.append(Record(client: client, operation: operation, invoked: moment))
        return records.count - 1
    }

    mutating func end(_ record: Int, _ end: Record.End, at moment: WorldTime) {
        records[record].end = end
        records[record].answered = moment
    }
}
