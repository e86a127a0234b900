/// A short form of everything that a group's state holds but the applied record, to compare replicas: at the same applied
/// position they hold the same bytes, sessions included, whatever engine keeps them.
///
/// A difference in one byte, or in one aligned word of eight, always shows; any other with a chance of 1 - 2^-64. Not made
/// against an adversary.
package struct StateDigest: Hashable, Sendable, CustomStringConvertible {
    package private(set) var hash: UInt64 = 0
    /// Keys of the state, users' keys among them.
    package private(set) var pairs: UInt64 = 0
    /// Of all keys and values together, as stored.
    package private(set) var bytes: UInt64 = 0

    /// Walks over the whole group, O(bytes). Take the reader from `StateStore.withSnapshot` where an applier may be at work.
    package init(ofGroup group: UInt64, in reader: some StateReader) throws(StateStoreError) {
        let (lower, upper) = StateKey.contentRange(group: group)
        var digest = Self()
        try reader.scan(from: lower, to: upper) { key, value in
            digest.add(key, value)
            return true
        }
        self = digest
    }

    /// Of nothing; give it the pairs of `StateKey.contentRange`, ascending.
    package init() {}

    package mutating func add(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        pairs += 1
        bytes += UInt64(key.count) + UInt64(value.count)
        add(key)
        add(value)
    }

    /// The length goes first, so that bytes can't move from a key to its value unseen.
    private mutating func add(_ run: UnsafeRawBufferPointer) {
        mix(UInt64(run.count))
        var offset = 0
        while run.count - offset >= 8 {
            mix(UInt64(littleEndian: run.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        guard offset < run.count else { return }
        var tail: UInt64 = 0
        for byte in run[offset...].reversed() { tail = tail << 8 | UInt64(byte) }
        mix(tail)
    }

    /// One to one in `hash` for each word, and in `word` for each `hash`: no single difference is lost on the way. The
    /// constants are those of the finalizer of MurmurHash3.
    private mutating func mix(_ word: UInt64) {
        var mixed = (hash ^ word) &* 0xFF51_AFD7_ED55_8CCD
        mixed = (mixed ^ (mixed >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        hash = (mixed ^ (mixed >> 33)) &+ 0x9E37_79B9_7F4A_7C15
    }

    package var description: String {
        let digits = String(hash, radix: 16)
        return "\(String(repeating: "0", count: 16 - digits.count))\(digits)/\(pairs)"
    }
}
