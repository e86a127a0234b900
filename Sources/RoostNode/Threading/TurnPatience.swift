/// How long whoever takes a turn may wait for the disk.
enum TurnPatience: Comparable, Sendable {
    /// Not at all.
    case none
    /// For the time of one small write.
    case brief
    /// As long as it takes: the driver's own thread.
    case unlimited
}
