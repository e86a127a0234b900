/// Which of the demo's nodes leads.
enum DemoLeader {
    /// The leader of the newest term among the nodes that answer now; `nil` if none says that it leads.
    static func find() -> DemoNode? {
        let leaders = NodeReport.survey(DemoNode.all.map(\.redis)).compactMap(\.status).filter(\.isLeader)
        return leaders.max { $0.term < $1.term }.map { DemoNode(id: $0.node) }
    }

    /// Waits for an election to end.
    static func wait(_ timeout: Duration = .seconds(5)) throws(Failure) -> DemoNode {
        let deadline = Deadline.in(timeout)
        while true {
            if let leader = find() { return leader }
            guard !deadline.hasPassed else {
                throw Failure(.refused, "no demo node says that it leads; see roostctl demo status")
            }
            pause(.milliseconds(100))
        }
    }
}
