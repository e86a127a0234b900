/// Whether a look into memory before a read goes to the disk is worth its while: not where nearly every look is in vain,
/// since the read on the disk begins with the same search.
struct MemoryHits {
    private static let one = 1 << 16
    /// Looks over which misses are averaged.
    private static let window = 32
    /// Of these in vain, and only one read in so many looks, to notice when it changes.
    private static let (futile, sampling) = (one * 7 / 8, 8)

    /// The average: `one` when all were in vain.
    private var misses = 0
    private var passedOver = 0

    mutating func isWorthALook() -> Bool {
        guard misses > Self.futile else { return true }
        passedOver = (passedOver + 1) % Self.sampling
        return passedOver == 0
    }

    mutating func note(isHit: Bool) { misses += ((isHit ? 0 : Self.one) - misses) / Self.window }
}
