/// Places where the shell may take a rare but legal path. A run enables about a quarter of them, and an enabled one fires
/// now and then (FoundationDB's BUGGIFY).
package enum BuggifySite: UInt64, CaseIterable, Sendable {
    /// The drain's messages leave in the opposite order.
    case sendBackwards
    /// Messages of a drain are lost as by a full queue.
    case dropOutgoing
    /// The applier takes one entry only.
    case applyOne
    /// An entry's page waits long before it is applied.
    case applyLate
    /// The log writer takes only the oldest batch.
    case writeOneBatch
    /// A fetch comes back late.
    case fetchLate
    /// A fetch comes back with the first entry only.
    case fetchOne
    /// The time is told late.
    case lateTick
    /// The state is flushed at once.
    case flushEarly
    /// A link is said to be broken though it is not.
    case spuriousUnreachable
    /// A leader's closed connection is reported though it lives.
    case spuriousLeaderLost
    /// The connection of a snapshot's transfer breaks between two pieces.
    case breakTransfer
    /// The sender refuses to make a snapshot now.
    case refuseSnapshot
}

/// The choices of one run.
struct Buggify {
    /// A bit for each site.
    private let enabled: UInt64
    private var random: RandomStream

    init(random: RandomStream, isOn: Bool) {
        self.random = random
        var enabled: UInt64 = 0
        if isOn {
            for site in BuggifySite.allCases where self.random.chance(2_500) { enabled |= 1 << site.rawValue }
        }
        self.enabled = enabled
    }

    /// Whether to take the rare path; in 500 of 10,000 visits, if the site is enabled.
    mutating func fires(_ site: BuggifySite, chance: Int = 500) -> Bool {
        enabled & (1 << site.rawValue) != 0 && random.chance(chance)
    }
}
