/// The consensus thread's inbox; see `TurnInbox` for who takes the turns.
typealias ConsensusInbox = TurnInbox<Consensus>

extension Consensus: TurnDriver {
    func end() { giveUpOnEverybody() }
}
