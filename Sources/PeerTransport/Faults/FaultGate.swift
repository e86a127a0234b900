import DequeModule
import NIOCore
import Raft

/// What messages of one direction pass through while faults are set: some are lost, some come twice, some wait here.
///
/// Order is kept, as TCP keeps it: a message that waits holds those behind it.
struct FaultGate: Sendable {
    private var dice: FaultDice
    private let maxHeldBytes: Int
    private let maxHeldMessages: Int
    private var held: Deque<Held> = []
    private var heldBytes = 0

    private struct Held: Sendable {
        var message: PeerMessage
        var due: NIODeadline
    }

    init(peer: NodeID, direction: NetworkFaults.Direction, limits: PeerTransportLimits) {
        dice = FaultDice(peer: peer, direction: direction)
        maxHeldBytes = limits.maxQueuedBytes
        maxHeldMessages = limits.maxQueuedMessages
    }

    /// Whether nothing waits: then, once faults are over, messages need not pass through here any more.
    var isEmpty: Bool { held.isEmpty }

    /// When the next message is due.
    var nextDue: NIODeadline? { held.first?.due }

    /// Takes messages in. What is more than a queue may hold is dropped.
    mutating func take(_ messages: [PeerMessage], board: FaultBoard, now: NIODeadline) {
        let law = board.law(dice.peer, dice.direction)
        var dropped = 0
        for message in messages {
            let fate = dice.roll(law)
            if fate.copies == 0 { dropped += 1 }
            for _ in 0..<fate.copies where !hold(message, until: now + TimeAmount(fate.delay)) { dropped += 1 }
        }
        board.countDropped(dropped, peer: dice.peer)
    }

    /// Gives out what is due.
    mutating func release(now: NIODeadline) -> [PeerMessage] {
        var due: [PeerMessage] = []
        while let first = held.first, first.due <= now {
            due.append(first.message)
            heldBytes -= first.message.footprintBytes
            held.removeFirst()
        }
        return due
    }

    /// Loses what waits.
    mutating func clear() {
        held.removeAll()
        heldBytes = 0
    }

    private mutating func hold(_ message: PeerMessage, until due: NIODeadline) -> Bool {
        let bytes = message.footprintBytes
        guard held.count < maxHeldMessages, held.isEmpty || heldBytes + bytes <= maxHeldBytes else { return false }
        held.append(Held(message: message, due: max(due, held.last?.due ?? due)))
        heldBytes += bytes
        return true
    }
}
