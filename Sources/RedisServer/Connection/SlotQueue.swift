import DequeModule

/// The replies that are owed to one connection, in order, and what is kept in memory for them.
struct SlotQueue {
    private var slots: Deque<Slot> = []
    /// Of all slots together.
    private(set) var heldBytes = 0

    var isEmpty: Bool { slots.isEmpty }
    var count: Int { slots.count }
    var first: Slot? { slots.first }
    var indices: Range<Int> { slots.indices }
    subscript(position: Int) -> Slot { slots[position] }

    func firstIndex(where isWanted: (Slot) -> Bool) -> Int? { slots.firstIndex(where: isWanted) }

    mutating func append(_ slot: Slot) {
        heldBytes += slot.heldBytes
        slots.append(slot)
    }

    mutating func appendWrite(ticket: UInt64, bytes: Int) {
        heldBytes += bytes
        slots.append(.write(ticket: ticket, bytes: bytes))
    }

    /// Whether a write under this ticket comes first; then it is removed.
    mutating func takeFirstWrite(ticket: UInt64) -> Bool {
        guard case .write(ticket, let bytes)? = slots.first else { return false }
        slots.removeFirst()
        heldBytes -= bytes
        return true
    }

    mutating func removeFirst() { heldBytes -= slots.removeFirst().heldBytes }

    mutating func replace(at position: Int, with slot: Slot) {
        heldBytes += slot.heldBytes - slots[position].heldBytes
        slots[position] = slot
    }

    mutating func replaceFirst(with slot: Slot) { replace(at: slots.startIndex, with: slot) }

    mutating func removeAll() { self = SlotQueue() }
}
