import ByteCoding
import Linearizability

/// I10: what clients saw of each key can be put in one order that fits the times and a register (Herlihy and Wing, 1990).
struct HistoryCheck {
    /// A picture of the key whose history is impossible, as a page.
    private(set) var picture: String?
    /// Keys whose search gave up: nothing is known about them.
    private(set) var undecided = 0

    /// Enough for all but a few; what is more is told as UNDECIDED.
    private let checker = LinearizabilityChecker(configurationLimit: 8_000)

    mutating func check(_ history: ClientHistory, title: String, until end: WorldTime) throws(Violation) {
        var byKey = Linearizability.History()
        for record in history.records {
            guard let key = record.operation.key, let operation = Self.operation(record, end) else { continue }
            byKey.record(operation, key: ClientOperation.name(of: key).text)
        }
        for result in byKey.check(with: checker) {
            switch result.verdict {
            case .linearizable: break
            case .undecided: undecided += 1
            case .notLinearizable(let evidence):
                let operations = byKey[result.key]
                picture = HistoryPicture(title: "\(title): \(result.key)").html(of: evidence, in: operations)
                let culprit = operations[evidence.culprit]
                throw Violation(
                    .linearizability,
                    """
                    \(result.key): client \(culprit.client)'s \(culprit) at \(WorldTime(nanoseconds: culprit.invoked)) \
                    fits no order; the value then was \(evidence.value.map { "\($0)" } ?? "none")
                    """)
            }
        }
    }

    private static func operation(_ record: ClientHistory.Record, _ end: WorldTime) -> Linearizability.Operation? {
        guard let call = call(of: record.operation) else { return nil }
        return Linearizability.Operation(
            client: record.client, call: call, outcome: outcome(of: record), invoked: record.invoked.nanoseconds,
            returned: (record.answered ?? max(end, record.invoked)).nanoseconds)
    }

    private static func call(of operation: ClientOperation) -> Register.Call? {
        switch operation {
        case .openSession: nil
        case .get: .get
        case .set(_, let value): .set(Register.Value(value.array))
        case .append(_, let token): .append(Register.Value(token.array))
        case .delete: .delete
        case .compareAndSet(_, let expected, let value):
            .compareAndSet(expected: Register.Value(expected.array), new: Register.Value(value.array))
        }
    }

    private static func outcome(of record: ClientHistory.Record) -> Linearizability.Operation.Outcome {
        switch record.end {
        case .unknown: .unknown
        case .refused: .notApplied
        case .read(let value): .replied(.value(value.map { Register.Value($0.array) }))
        case .wrote(let integer, let isNull):
            switch record.operation {
            case .openSession, .get, .set: .replied(.done)
            case .append: .replied(.length(Int(integer ?? -1)))
            case .delete: .replied(.deleted(integer == 1))
            case .compareAndSet: .replied(.swapped(!isNull))
            }
        }
    }
}
