import RESP

/// `ROOST.MEMBER` and `ROOST.DEBUG`: handed to the node, which answers when it is done.
extension ConnectionHandler {
    func executeAdmin(_ command: Command, _ arguments: ArgumentList) {
        let words = (1..<arguments.count).map { arguments.text($0) }
        let request: AdminRequest
        do throws(AdminSyntaxError) {
            request = command == .roostMember ? try .member(words) : try .debug(words)
        } catch {
            return replyError(error.message)
        }
        guard loop.backend.isReady else { return replyError(ServerContext.loading) }
        let (deliver, version) = (promiseReply(), version)
        loop.backend.administer(request) { answer in
            deliver { Self.write(answer, into: &$0, version) }
        }
    }

    private static func write(_ answer: AdminReply, into sink: inout ReplyBuffer, _ version: RESPVersion) {
        switch answer {
        case .ok: sink.writeOK()
        case .number(let number): sink.writeInteger(number)
        case .failure(let message): sink.writeError(message)
        case .members(let members):
            sink.writeArrayHeader(members.count)
            for member in members { write(member, into: &sink, version) }
        case .lines(let lines):
            sink.writeArrayHeader(lines.count)
            for line in lines { sink.writeBulk(line) }
        }
    }

    private static func write(_ member: AdminMember, into sink: inout ReplyBuffer, _ version: RESPVersion) {
        let fields: KeyValuePairs = [
            "role": member.role.rawValue, "peer": member.peer, "redis": member.redis, "http": member.http,
        ]
        sink.writeMapHeader(2 + fields.count, version)
        sink.writeBulk("node")
        sink.writeInteger(member.node)
        sink.writeBulk("leader")
        sink.writeInteger(member.isLeader ? 1 : 0)
        for (name, text) in fields {
            sink.writeBulk(name)
            sink.writeBulk(text)
        }
    }
}
