import Linearizability
import RESP
import Testing

/// What is noted about an operation decides what the checker may conclude: a wrong note hides a fault.
@Suite("Replies, as the linearizability checker takes them") struct RegisterReplyTests {
    typealias Row = (call: Register.Call, answer: Reply?, outcome: Operation.Outcome?)

    @Test(
        arguments: [
            (.get, .null, .replied(.value(nil))),
            (.get, .text("5"), .replied(.value("5"))),
            (.set("5"), .ok, .replied(.done)),
            (.delete, .integer(1), .replied(.deleted(true))),
            (.delete, .integer(0), .replied(.deleted(false))),
            (.append("x"), .integer(3), .replied(.length(3))),
            (.increment(by: 1), .integer(3), .replied(.number(3))),
            (.increment(by: 1), .error("ERR value is not an integer or out of range"), .replied(.notAnInteger)),
            (.increment(by: 1), .error("ERR increment or decrement would overflow"), .replied(.overflow)),
            (.compareAndSet(expected: "1", new: "2"), .ok, .replied(.swapped(true))),
            (.compareAndSet(expected: "1", new: "2"), .null, .replied(.swapped(false))),
        ] as [Row])
    func `a reply of the register`(row: Row) { #expect(row.call.outcome(row.answer) == row.outcome) }

    @Test(
        arguments: [
            (.set("5"), nil, .unknown),
            (.set("5"), .error("INDOUBT the outcome is not known"), .unknown),
            (.set("5"), .error("LOADING no leader"), .notApplied),
            (.set("5"), .error("BUSY too much under way"), .notApplied),
            (.get, .error("LOADING no leader"), .notApplied),
        ] as [Row])
    func `no reply, or an error that says what became of it`(row: Row) {
        #expect(row.call.outcome(row.answer) == row.outcome)
    }

    @Test(
        arguments: [
            (.get, .ok, nil), (.get, .integer(5), nil), (.set("5"), .null, nil), (.delete, .integer(2), nil),
            (.set("5"), .error("ERR value is not an integer or out of range"), nil),
            (.append("x"), .error("WRONGTYPE"), nil),
        ] as [Row])
    func `an answer that the call can't have is no outcome`(row: Row) { #expect(row.call.outcome(row.answer) == nil) }
}
