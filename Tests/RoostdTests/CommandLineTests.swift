import ArgumentParser
import Logging
import RoostNode
import Testing

@testable import roostd

@Suite("Command line")
struct CommandLineTests {
    @Test func `every setting has its flag, and no flag is anything else`() throws {
        let arguments = Setting.all.flatMap { ["--\($0.flag)", "value of \($0.name)"] }
        let flags = try ConfigurationOptions.parse(arguments).flags
        #expect(flags.map(\.setting.name).sorted() == Setting.all.map(\.name).sorted())
        #expect(flags.allSatisfy { $0.text == "value of \($0.setting.name)" })
        #expect(try ConfigurationOptions.parse([]).flags.isEmpty)
    }

    @Test func `values may start with an equals sign, a bracket or a dot`() throws {
        let flags = try ConfigurationOptions.parse([
            "--peers=1=a:1,2=b:2", "--listen-redis", "[::1]:0", "--data-dir", "./x",
        ]).flags
        #expect(flags.map(\.text) == ["./x", "1=a:1,2=b:2", "[::1]:0"])
    }

    @Test func `options before and after the name of a subcommand count, the later ones more`() throws {
        let command = try Roostd.parseAsRoot([
            "--node-id", "0", "--log-level", "debug", "check-config", "--node-id", "1",
        ])
        let check = try #require(command as? CheckConfig)
        let effective = try check.options.load(after: check.daemon.options)
        #expect(effective.configuration.node.id == 1)
        #expect(effective.configuration.log.level == .debug)
    }

    @Test func `every setting is in the help, with its default`() {
        let help = Roostd.helpMessage(columns: 500)
        for setting in Setting.all {
            #expect(help.contains("--\(setting.flag) <\(setting.placeholder)>"))
            if let text = setting.defaultText { #expect(help.contains("(default: \(text))")) }
        }
    }

    @Test(arguments: [
        ["--no-such-flag"], ["no-such-command"], ["--node-id"], ["--print-config=yes"],
    ]) func `a command line that makes no sense is refused by the parser`(arguments: [String]) {
        #expect(throws: (any Error).self) { try Roostd.parseAsRoot(arguments) }
    }
}
