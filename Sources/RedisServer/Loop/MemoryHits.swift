/// Whether a look into memory before a read goes to the disk is worth its while for a connection: not where nearly every
/// one of its looks is in vain, since the read on the disk begins with the same search.
struct MemoryHits {
    /// The share of looks in vain that counts as nearly every, and all of them.
    private static let (nearlyAll, all) = (7 << 13, 1 << 16)
    /// Looks that the share is averaged over.
    private static let window = 32
    /// While looks are in vain one read in so many looks, to notice when that changes.
    private static let sampling = 8

    private var shareInVain = 0
    private var passedOver = 0

    mutating func isWorthALook() -> Bool {
        guard shareInVain > Self.nearlyAll else { return true }
        passedOver = (passedOver + 1) % Self.sampling
        return passedOver == 0
    }

    mutating func note(isHit: Bool) { shareInVain += ((isHit ? 0 : Self.all) - shareInVain) / Self.window }
}
