import ByteCoding
import KeyValue
import RESP

/// Gives an outcome its RESP form.
enum OutcomeEncoder {
    static func encode(_ outcome: Outcome, into sink: inout ReplyBuffer, _ version: RESPVersion) {
        switch outcome {
        case .ok: sink.writeOK()
        case .null: sink.writeNull(version)
        case .integer(let value): sink.writeInteger(value)
        case .value(let bytes): bytes.withUnsafeBytes { sink.writeBulk($0) }
        case .values(let values):
            sink.writeArrayHeader(values.count)
            for value in values {
                if let value { value.withUnsafeBytes { sink.writeBulk($0) } } else { sink.writeNull(version) }
            }
        case .failure(let failure): sink.writeError(text(of: failure))
        }
    }

    private static func text(of failure: CommandFailure) -> String {
        switch failure {
        case .notAnInteger: "ERR value is not an integer or out of range"
        case .overflow: "ERR increment or decrement would overflow"
        case .replyTooLong: "TOOBIG the values exceed max-output-buffer-bytes; ask for fewer keys"
        case .oldValueTooLong:
            "TOOBIG the old value is longer than \(StoredReply.maxValueBytes) bytes, the longest reply that a session keeps; "
                + "command not executed"
        case .noSession:
            "NOSESSION there is no such session, or no more: this request did nothing, an earlier one with its number may "
                + "have; open a new session"
        case .staleRequest:
            "STALEREQ the number is below the session's window: this request did nothing, an earlier one with it may have"
        case .valueTooLong: "TOOBIG the value would exceed the longest value the store holds; command not executed"
        }
    }
}
