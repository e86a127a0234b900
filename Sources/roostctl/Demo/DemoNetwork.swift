import ArgumentParser
import RESP

struct DemoPartition: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partition", abstract: "Cut a node off from the others; clients still reach it.",
        discussion: "Its links stay open and carry nothing, as in a network that drops packets, until `demo heal`.")

    @Argument(help: "1, 2, 3 or leader.") var target: DemoTarget

    func run() throws {
        try reportingFailure {
            let node = try target.resolve()
            try DemoNetwork.order(["CUT"], at: node)
            Console.print("node \(node.id) is cut off; heal it again: roostctl demo heal")
        }
    }
}

struct DemoHeal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heal", abstract: "Let everything pass again, at one node or at all.")

    @Argument(help: "1, 2, 3 or leader; default: all that run.") var target: DemoTarget?

    func run() throws {
        try reportingFailure {
            let nodes = try target.map { [try $0.resolve()] } ?? DemoNode.all.filter { !Socket.isRefused(by: $0.redis) }
            for node in nodes { try DemoNetwork.order(["HEAL"], at: node) }
            Console.print("the network passes everything again")
        }
    }
}

/// Faults of the demo's network, by `ROOST.DEBUG NET`.
enum DemoNetwork {
    private static let patience = Duration.seconds(3)

    /// - Throws: `Failure` (`refused`) also when the node is down: it has no network to break.
    static func order(_ words: [String], at node: DemoNode) throws(Failure) {
        do {
            let connection = try NodeConnection(to: node.redis, deadline: .in(patience))
            let reply = try connection.request(["ROOST.DEBUG", "NET"] + words, deadline: .in(patience))
            if case .error(let message) = reply { throw Failure(.refused, "node \(node.id): \(message)") }
        } catch let failure as Failure {
            throw failure
        } catch let failure as NodeConnection.RequestFailure {
            throw Failure(.refused, "node \(node.id) does not answer: \(failure.cause)")
        } catch {
            throw Failure(.refused, "node \(node.id) does not answer: \(error)")
        }
    }
}
