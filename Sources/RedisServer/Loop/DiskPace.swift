/// Whether an event loop may wait for the disk with a read: as long as nearly all of those that need it come back at once
/// their blocks lie in the page cache, and a way to another thread and back would take longer than the read.
///
/// A credit, so that one read that had to give up its processor changes nothing, and a disk that has to be asked does.
struct DiskPace {
    /// A read that took no longer came from memory, whosever it was.
    static let quick: Int64 = 100_000
    /// One that took this long has held up everybody on the loop: the next ones are for other threads.
    static let tooLong: Int64 = 1_000_000

    /// Reads that must have been quick, and that a slow one counts against.
    private static let price = 32
    private static let most = 8 * price

    private var credit = 0

    var isQuick: Bool { credit >= Self.price }

    /// - Parameter nanoseconds: of one read that may have needed the disk.
    mutating func note(_ nanoseconds: Int64) {
        if nanoseconds <= Self.quick {
            credit = min(Self.most, credit + 1)
        } else {
            credit = nanoseconds < Self.tooLong ? max(-Self.most, credit - Self.price) : -Self.most
        }
    }
}
