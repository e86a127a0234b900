import NIOEmbedded
import Testing

@testable import RedisServer

@Suite("ROOST.MEMBER and ROOST.DEBUG: their words")
struct AdminCommandTests {
    @Test(
        arguments: [
            (["LIST"], .listMembers), (["list"], .listMembers),
            (["ADD", "a:1"], .addMember(peer: "a:1", id: nil, staysLearner: false)),
            (["ADD", "a:1", "7"], .addMember(peer: "a:1", id: 7, staysLearner: false)),
            (["ADD", "a:1", "learner"], .addMember(peer: "a:1", id: nil, staysLearner: true)),
            (["ADD", "a:1", "7", "LEARNER"], .addMember(peer: "a:1", id: 7, staysLearner: true)),
            (["PROMOTE", "4"], .promote(4)), (["REMOVE", "4"], .remove(4)), (["TRANSFER"], .transfer(to: nil)),
            (["TRANSFER", "2"], .transfer(to: 2)),
        ] as [([String], AdminRequest)])
    func `what can be asked`(words: [String], request: AdminRequest) throws {
        #expect(try AdminRequest.member(words) == request)
    }

    @Test(
        arguments: [
            (["DANCE"], "ERR unknown subcommand 'DANCE'"), (["ADD"], "ERR wrong number of arguments"),
            (["REMOVE"], "ERR wrong number of arguments"), (["LIST", "x"], "ERR wrong number of arguments"),
            (["REMOVE", "0"], "ERR '0' is no node id"), (["REMOVE", "-1"], "ERR '-1' is no node id"),
            (["PROMOTE", "99999999999999999999"], "ERR '99999999999999999999' is no node id"),
            (["ADD", "a:1", "7", "8"], "ERR syntax error"), (["ADD", "a:1", "LEARNER", "7"], "ERR syntax error"),
        ] as [([String], String)])
    func `what cannot`(words: [String], error: String) {
        let thrown = #expect(throws: AdminSyntaxError.self) { try AdminRequest.member(words) }
        #expect(thrown?.message.hasPrefix(error) == true, "\(String(describing: thrown))")
    }

    @Test func `faults are the node's to understand`() throws {
        #expect(try AdminRequest.debug(["net", "CUT", "2"]) == .debugNetwork(["CUT", "2"]))
        #expect(try AdminRequest.debug(["Failpoint", "LIST"]) == .debugFailpoint(["LIST"]))
        for words in [["NET"], ["FAILPOINT"], ["SLEEP", "1"]] {
            #expect(throws: AdminSyntaxError.self) { try AdminRequest.debug(words) }
        }
    }

    @Test func `an answer that comes later keeps its place among the others`() throws {
        let connection = try TestConnection()
        try connection.send("ROOST.MEMBER PROMOTE 4\r\nPING\r\n")
        #expect(try connection.replies() == "")
        let asked = try #require(connection.backend.admin.first)
        #expect(asked.request == .promote(4))
        asked.reply(.failure("TRYAGAIN later"))
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies() == "-TRYAGAIN later\r\n+PONG\r\n")
    }

    @Test func `lines are an array of strings`() throws {
        let connection = try TestConnection()
        try connection.send("ROOST.DEBUG FAILPOINT LIST\r\n")
        try #require(connection.backend.admin.first).reply(.lines(["a", "b c"]))
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies() == "*2\r\n$1\r\na\r\n$3\r\nb c\r\n")
    }

    @Test func `members are maps, flat where the protocol has none`() throws {
        let connection = try TestConnection()
        try connection.send("ROOST.MEMBER LIST\r\n")
        let member = AdminMember(node: 4, role: .learner, isLeader: false, peer: "a:1", redis: "", http: "a:3")
        try #require(connection.backend.admin.first).reply(.members([member]))
        connection.channel.embeddedEventLoop.run()
        #expect(
            try connection.replies()
                == "*1\r\n*12\r\n$4\r\nnode\r\n:4\r\n$6\r\nleader\r\n:0\r\n$4\r\nrole\r\n$7\r\nlearner\r\n"
                + "$4\r\npeer\r\n$3\r\na:1\r\n$5\r\nredis\r\n$0\r\n\r\n$4\r\nhttp\r\n$3\r\na:3\r\n")
    }
}
