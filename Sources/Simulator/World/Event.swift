/// What can happen next in a world. Only numbers, so that the queue moves them cheaply; what they stand for lies with
/// its owner (packets in `Network`, requests in `Clients`, …).
///
/// `node` is a place in `World.nodes`. `life` counts the starts of a node: what was under way when it crashed means
/// nothing to the next life.
enum Event {
    /// A message arrives.
    case delivery(packet: Int32)
    /// A node's core wants to know the time.
    case timer(node: Int32, generation: UInt32)
    /// A node takes what has gathered in its inbox.
    case turn(node: Int32, life: UInt32)
    /// The log writer's synced write is done.
    case logSynced(node: Int32, life: UInt32)
    /// The applier is done with a page.
    case pageApplied(node: Int32, life: UInt32)
    /// Entries for a follower are read.
    case fetched(node: Int32, life: UInt32, slot: Int32)
    /// An empty founder looks whom it can meet.
    case lookAround(node: Int32, life: UInt32)
    /// The state is flushed.
    case stateFlushed(node: Int32, life: UInt32)
    /// A snapshot is made, a piece of one has moved, or one is installed.
    case snapshot(transfer: Int32, step: SnapshotStep)
    /// A snapshot that a node was told to install is in place.
    case snapshotInstalled(node: Int32, life: UInt32)
    /// A client does what comes next for it.
    case client(Int32)
    /// A client has waited long enough for its operation's attempt.
    case clientTimeout(client: Int32, attempt: UInt32)
    /// A request reaches a node, a reply its client.
    case request(Int32)
    case reply(Int32)
    /// The environment acts: partitions, crashes, clocks, membership.
    case nemesis
    /// A fault's time is over.
    case faultOver(Int32)
    case restart(node: Int32, life: UInt32)
    case resume(node: Int32, pause: UInt32)
}

/// Where a snapshot's transfer is.
enum SnapshotStep: UInt8 {
    case made, chunkArrived, reported
}
