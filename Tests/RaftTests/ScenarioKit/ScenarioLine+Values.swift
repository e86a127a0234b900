import Raft

/// Words and options as values.
extension ScenarioLine {
    mutating func node() throws(ScenarioFailure) -> NodeID { NodeID(try number(word("a node"), "a node")) }

    /// All words that are left.
    mutating func nodes() throws(ScenarioFailure) -> [NodeID] {
        var nodes: [NodeID] = []
        while hasWords { nodes.append(try node()) }
        return nodes
    }

    mutating func count(_ what: String) throws(ScenarioFailure) -> UInt64 { try number(word(what), what) }

    mutating func numberOption(_ key: String) throws(ScenarioFailure) -> UInt64? {
        guard let text = try option(key) else { return nil }
        return try number(text, "\(key)=NUMBER")
    }

    /// `1,2,3`; `none` or nothing is the empty list.
    mutating func listOption(_ key: String) throws(ScenarioFailure) -> [UInt64]? {
        guard let text = try option(key) else { return nil }
        return try list(text, "\(key)=NUMBER,NUMBER...")
    }

    mutating func nodesOption(_ key: String) throws(ScenarioFailure) -> [NodeID]? {
        try listOption(key)?.map { NodeID($0) }
    }

    func list(_ text: String, _ what: String) throws(ScenarioFailure) -> [UInt64] {
        guard text != "none" else { return [] }
        var list: [UInt64] = []
        for part in text.split(separator: ",") { list.append(try number(String(part), what)) }
        return list
    }

    func number(_ text: String, _ what: String) throws(ScenarioFailure) -> UInt64 {
        guard let number = UInt64(text) else { throw failure(what, found: "\"\(text)\"") }
        return number
    }

    func isOn(_ text: String) throws(ScenarioFailure) -> Bool {
        switch text {
        case "on", "yes": return true
        case "off", "no": return false
        default: throw failure("on or off", found: "\"\(text)\"")
        }
    }

    /// `50ms`, `2s`
    func duration(_ text: String) throws(ScenarioFailure) -> Duration {
        if text.hasSuffix("ms"), let count = Int(text.dropLast(2)) { return .milliseconds(count) }
        if text.hasSuffix("s"), let count = Int(text.dropLast()) { return .seconds(count) }
        throw failure("a duration like 50ms", found: "\"\(text)\"")
    }
}
