import KeyValue
import RESP

/// Commands of the node or the connection: answered at once.
extension ConnectionHandler {
    func executeLocal(_ command: Command, _ arguments: ArgumentList) {
        switch command {
        case .ping: ping(arguments)
        case .echo: reply { $0.writeBulk(arguments[1]) }
        case .hello: hello(arguments)
        case .client: clientCommand(arguments)
        case .command: commandCommand(arguments)
        case .select: select(arguments)
        case .config: config(arguments)
        case .info: info(arguments)
        case .role: role()
        case .quit:
            reply { $0.writeOK() }
            close()
        case .roostStatus:
            let json = loop.backend.statusJSON()
            reply { $0.writeBulk(json) }
        case .roostMember, .roostDebug: executeAdmin(command, arguments)
        case .append, .dbsize, .del, .exists, .flushall, .flushdb, .get, .incr, .incrby, .mget, .mset, .set, .strlen,
            .roostSession, .roostOnce:
            preconditionFailure("\(command) is no local command")
        }
    }

    private func ping(_ arguments: ArgumentList) {
        guard arguments.count <= 2 else { return replyWrongArity("ping") }
        guard loop.backend.isReady else { return replyError(ServerContext.loading) }
        reply { if arguments.count == 1 { $0.writeSimple("PONG" as StaticString) } else { $0.writeBulk(arguments[1]) } }
    }

    private func select(_ arguments: ArgumentList) {
        switch arguments.text(1) {
        case "0": reply { $0.writeOK() }
        case let text where Int(text) != nil: replyError("ERR DB index is out of range: there is only database 0")
        default: replyError("ERR value is not an integer or out of range")
        }
    }

    /// `HELLO [2|3 [AUTH user password] [SETNAME name]]`
    private func hello(_ arguments: ArgumentList) {
        var agreed = version
        var name = client.name
        var index = 1
        if arguments.count > 1 {
            switch arguments.text(1) {
            case "2": agreed = .resp2
            case "3": agreed = .resp3
            default: return replyError("NOPROTO unsupported protocol version")
            }
            index = 2
        }
        while index < arguments.count {
            switch arguments.text(index).uppercased() {
            case "SETNAME" where index + 1 < arguments.count:
                guard Self.isPrintable(arguments[index + 1]) else { return replyError(Self.nameError) }
                name = arguments.text(index + 1)
                index += 2
            case "AUTH":
                return replyError("ERR AUTH called without any password configured: this node has no authentication")
            default: return replyError("ERR syntax error in HELLO")
            }
        }
        version = agreed
        client.name = name
        let isLeader = loop.backend.description().isLeader
        reply { sink in
            sink.writeMapHeader(7, version)
            sink.writeBulk("server")
            sink.writeBulk("redis")
            sink.writeBulk("version")
            sink.writeBulk(InfoPage.redisVersion)
            sink.writeBulk("proto")
            sink.writeInteger(version.rawValue)
            sink.writeBulk("id")
            sink.writeInteger(id)
            sink.writeBulk("mode")
            sink.writeBulk("standalone")
            sink.writeBulk("role")
            sink.writeBulk(isLeader ? "master" : "replica")
            sink.writeBulk("modules")
            sink.writeArrayHeader(0)
        }
    }

    private static let nameError = "ERR Client names cannot contain spaces, newlines or special characters."

    private static func isPrintable(_ text: UnsafeRawBufferPointer) -> Bool {
        text.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private func clientCommand(_ arguments: ArgumentList) {
        switch (arguments.text(1).uppercased(), arguments.count) {
        case ("ID", 2): reply { $0.writeInteger(id) }
        case ("INFO", 2): reply { $0.writeVerbatim(clientLine, version) }
        case ("GETNAME", 2):
            reply { if client.name.isEmpty { $0.writeNull(version) } else { $0.writeBulk(client.name) } }
        case ("SETNAME", 3):
            guard Self.isPrintable(arguments[2]) else { return replyError(Self.nameError) }
            client.name = arguments.text(2)
            reply { $0.writeOK() }
        case ("SETINFO", 4): setInfo(arguments)
        case ("ID", _), ("INFO", _), ("GETNAME", _), ("SETNAME", _), ("SETINFO", _):
            replyWrongArity("client|\(arguments.text(1).lowercased())")
        default: replyUnknownSubcommand("client", arguments)
        }
    }

    private func setInfo(_ arguments: ArgumentList) {
        let option = arguments.text(2).uppercased()
        guard Self.isPrintable(arguments[3]) else {
            return replyError("ERR \(option.lowercased()) cannot contain spaces, newlines or special characters.")
        }
        switch option {
        case "LIB-NAME": client.libraryName = arguments.text(3)
        case "LIB-VER": client.libraryVersion = arguments.text(3)
        default: return replyError("ERR Unrecognized option '\(option.prefix(64))'")
        }
        reply { $0.writeOK() }
    }

    private var clientLine: String {
        "id=\(id) addr=\(client.address) name=\(client.name) db=0 resp=\(version.rawValue) "
            + "lib-name=\(client.libraryName) lib-ver=\(client.libraryVersion)\n"
    }

    /// `ROLE`: Redis' forms, so that clients which follow it find the leader's plain door.
    private func role() {
        let node = loop.backend.description()
        reply { sink in
            sink.writeArrayHeader(node.isLeader ? 3 : 5)
            if node.isLeader {
                sink.writeBulk("master")
                sink.writeInteger(node.commitIndex)
                sink.writeArrayHeader(node.followers.count)
                for follower in node.followers {
                    sink.writeArrayHeader(3)
                    sink.writeBulk(follower.host)
                    sink.writeBulk(String(follower.port))
                    sink.writeBulk(String(follower.matchIndex))
                }
            } else {
                sink.writeBulk("slave")
                sink.writeBulk(node.leaderRedis?.host ?? "")
                sink.writeInteger(node.leaderRedis?.port ?? 0)
                sink.writeBulk(node.leaderNode == nil ? "connect" : "connected")
                sink.writeInteger(node.appliedIndex)
            }
        }
    }

    private func info(_ arguments: ArgumentList) {
        let sections = (1..<arguments.count).map { arguments.text($0).lowercased() }
        let page = InfoPage(
            node: loop.backend.description(), usage: loop.backend.usage(), metrics: server.metrics,
            limits: server.limits)
        reply { $0.writeVerbatim(page.text(sections: sections), version) }
    }

    /// `CONFIG GET pattern…`: what clients ask for, in Redis' names. There is no CONFIG SET: the configuration is a file.
    private func config(_ arguments: ArgumentList) {
        guard arguments.text(1).uppercased() == "GET" else {
            return replyError(
                "ERR only CONFIG GET is supported: settings are in the configuration file, see roostd --help")
        }
        guard arguments.count >= 3 else { return replyWrongArity("config|get") }
        let patterns = (2..<arguments.count).map { arguments.text($0).lowercased() }
        let found = ConfigurationView.settings(limits: server.limits).filter { setting in
            patterns.contains { GlobPattern.matches($0, setting.name) }
        }
        reply { sink in
            sink.writeMapHeader(found.count, version)
            for setting in found {
                sink.writeBulk(setting.name)
                sink.writeBulk(setting.value)
            }
        }
    }
}
