import ByteCoding
import Testing

@testable import Raft

@Suite("Random messages through the wire format")
struct CodecTwinTests {
    /// Small numbers meet each other more often, large ones use every byte.
    private func number(_ random: inout SplitMix64) -> UInt64 {
        switch random.next(below: UInt64(3)) {
        case 0: random.next(below: UInt64(4))
        case 1: random.next(below: UInt64(1) << 20)
        default: random.next()
        }
    }

    private func entryID(_ random: inout SplitMix64) -> EntryID { id(number(&random), number(&random)) }

    private func payload(_ random: inout SplitMix64) -> Bytes {
        Bytes((0..<random.next(below: UInt64(40))).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }

    private func append(_ random: inout SplitMix64) -> Message.Body {
        var previous = entryID(&random)
        // The last index of all has no next.
        previous.index = LogIndex(previous.index.rawValue & (UInt64.max >> 1))
        var index = previous.index
        let entries = (0..<random.next(below: UInt64(5))).map { _ in
            index = index.next
            return Entry(
                id: EntryID(term: Term(number(&random)), index: index),
                kind: [.normal, .noop, .membership][Int(random.next(below: UInt64(3)))], payload: payload(&random),
                checksum: UInt32(truncatingIfNeeded: random.next()))
        }
        return .appendRequest(previous: previous, entries: entries, commit: LogIndex(number(&random)))
    }

    private func body(_ kind: UInt64, _ random: inout SplitMix64) -> Message.Body {
        let token = ReadToken(incarnation: number(&random), count: number(&random))
        let flag = random.next(below: UInt64(2)) == 0
        let index = LogIndex(number(&random))
        switch kind {
        case 0: return .preVoteRequest(last: entryID(&random))
        case 1: return .preVoteResponse(granted: flag)
        case 2: return .voteRequest(last: entryID(&random), isTransfer: flag)
        case 3: return .voteResponse(granted: flag)
        case 4: return append(&random)
        case 5: return .appendAccepted(matched: index)
        case 6: return .appendRejected(previous: index, hint: entryID(&random))
        case 7: return .heartbeat(commit: index, round: number(&random), truncatable: LogIndex(number(&random)))
        case 8: return .heartbeatResponse(round: number(&random))
        case 9: return .readIndexRequest(token)
        case 10: return .readIndexResponse(token, index: flag ? index : nil)
        case 11: return .timeoutNow
        default: return .commitNotice(entryID(&random))
        }
    }

    /// Fails to compile when a kind is added that the test does not make.
    private func kind(of body: Message.Body) -> UInt64 {
        switch body {
        case .preVoteRequest: 0
        case .preVoteResponse: 1
        case .voteRequest: 2
        case .voteResponse: 3
        case .appendRequest: 4
        case .appendAccepted: 5
        case .appendRejected: 6
        case .heartbeat: 7
        case .heartbeatResponse: 8
        case .readIndexRequest: 9
        case .readIndexResponse: 10
        case .timeoutNow: 11
        case .commitNotice: 12
        }
    }

    @Test func `whatever is said is understood, many to a frame, and as long as it was announced`() throws {
        var random = SplitMix64(seed: 31)
        for _ in 0..<400 {
            var (writer, sent): (ByteWriter, [Message]) = (ByteWriter(), [])
            for kind in 0..<UInt64(13) {
                let body = body(kind, &random)
                #expect(self.kind(of: body) == kind)
                let message = Message(
                    group: GroupID(number(&random)), from: NodeID(number(&random)), to: NodeID(number(&random)),
                    term: Term(number(&random)), body: body)
                let before = writer.count
                message.encode(into: &writer)
                #expect(writer.count - before == message.encodedByteCount)
                sent.append(message)
            }
            var reader = ByteReader(writer.take())
            for message in sent { #expect(try Message(decoding: &reader) == message) }
            #expect(reader.isAtEnd)
        }
    }

    @Test func `changes of the membership are understood, and nothing shorter or longer is`() throws {
        var random = SplitMix64(seed: 32)
        for _ in 0..<300 {
            var change = MembershipTwin.randomChange(of: 9, &random)
            change.context = payload(&random)
            let bytes = change.encode()
            #expect(try MembershipChange(decoding: bytes) == change)
            for length in 0..<bytes.count {
                #expect(throws: MalformedBytes.self) { try MembershipChange(decoding: bytes.slice(0..<length)) }
            }
            #expect(throws: MalformedBytes.self) { try MembershipChange(decoding: Bytes(bytes.array + [0])) }
        }
    }
}
