import Foundation
import Linearizability
import Testing

/// Expects that all that the clients saw is linearizable, key by key. Of a key that is not, a picture is left in the
/// sandbox.
///
/// - Parameter minimum: operations of known outcome; a shorter history proves nothing.
func expectLinearizable(_ clients: [RegisterClient], minimum: Int) {
    let unexpected = clients.flatMap(\.unexpected)
    #expect(unexpected.isEmpty, "\(unexpected.prefix(5))")
    var history = History()
    for client in clients { history.merge(client.history) }
    let operations = history.keys.flatMap { history[$0] }
    let unknown = operations.count { $0.outcome == .unknown }
    let refused = operations.count { $0.outcome == .notApplied }
    print("\(history.keys.count) keys, \(operations.count) operations, \(unknown) unknown, \(refused) not applied")
    #expect(operations.count - unknown - refused > minimum)
    // Without values that were read and swaps that held it proves little.
    #expect(operations.count { if case .value(_?) = $0.reply { true } else { false } } > minimum / 10)
    #expect(operations.count { $0.reply == .swapped(true) } > 0)
    for result in history.check(with: LinearizabilityChecker(configurationLimit: 200_000))
    where !result.verdict.isLinearizable {
        Issue.record("\(report(result, history[result.key]))")
    }
}

private func report(_ result: History.KeyVerdict, _ operations: [Linearizability.Operation]) -> String {
    switch result.verdict {
    case .linearizable:
        return "\(result.key) is linearizable"
    case .undecided(let configurations):
        return "\(result.key): undecided after \(configurations) configurations, of \(operations.count) operations"
    case .notLinearizable(let violation):
        let page = HistoryPicture(title: "key \(result.key)").html(of: violation, in: operations)
        let path = (Sandbox.current?.newFolder("history-\(result.key)") ?? "/tmp/history-\(result.key)") + ".html"
        let isWritten = FileManager.default.createFile(atPath: path, contents: Data(page.utf8))
        let explanation = Explanation(of: violation, in: operations)
        return """
            \(result.key) is not linearizable. \(explanation.sentence) \
            \(isWritten ? "Picture (stays with ROOST_KEEP=1): \(path)" : "The picture could not be written to \(path).")
            """
    }
}
