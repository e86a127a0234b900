import Raft

/// The links between all nodes, each direction for itself.
///
/// A link that nothing is wrong with is a TCP stream: in order, nothing lost. Loss stands for broken connections,
/// duplicates and stragglers for old ones that deliver late.
struct Network {
    private struct Link {
        /// How many partitions cut it.
        var cuts = 0
        var clogged = WorldTime.zero
        /// When the last message in order arrives.
        var lastArrival = WorldTime.zero
        var inFlight = 0
    }

    private let options: SwarmOptions.NetworkOptions
    private var random: RandomStream
    private var links: [[Link]] = []
    private var packets = Slab<Packet>()
    /// Lossless and quick from now on, as the healed core of the liveness phase needs it.
    var isCalm = false
    private(set) var statistics = Statistics()

    struct Statistics {
        var sent = 0
        var lost = 0
        var duplicated = 0
        var delivered = 0
    }

    init(options: SwarmOptions.NetworkOptions, random: RandomStream) {
        self.options = options
        self.random = random
    }

    mutating func addNode() {
        for place in links.indices { links[place].append(Link()) }
        links.append(Array(repeating: Link(), count: links.count + 1))
    }

    // MARK: Messages

    /// Takes a message and plans its arrivals: none, one or two.
    mutating func send(_ packet: Packet, at now: WorldTime, plan: (Event, WorldTime) -> Void) {
        statistics.sent += 1
        guard links[packet.from][packet.to].cuts == 0, links[packet.from][packet.to].inFlight < capacity,
            isCalm || !random.chance(options.loss)
        else {
            statistics.lost += 1
            return
        }
        transmit(packet, at: now, plan)
        if !isCalm, random.chance(options.duplication) {
            statistics.duplicated += 1
            transmit(packet, at: now, plan)
        }
    }

    /// - Returns: the packet, unless its link was cut while it was under way.
    mutating func receive(_ number: Int32) -> Packet? {
        let packet = packets.remove(number)
        links[packet.from][packet.to].inFlight -= 1
        guard links[packet.from][packet.to].cuts == 0 else {
            statistics.lost += 1
            return nil
        }
        statistics.delivered += 1
        return packet
    }

    private var capacity: Int { isCalm ? .max : options.capacity }

    private mutating func transmit(_ packet: Packet, at now: WorldTime, _ plan: (Event, WorldTime) -> Void) {
        let (from, to) = (packet.from, packet.to)
        var arrival = now.advanced(by: delay())
        if !isCalm, random.chance(options.straggler) {
            arrival = arrival.advanced(by: 10 * delay())
        } else {
            arrival = max(arrival, links[from][to].lastArrival, links[from][to].clogged)
            links[from][to].lastArrival = arrival
        }
        links[from][to].inFlight += 1
        plan(.delivery(packet: packets.insert(packet)), arrival)
    }

    /// One way through the network.
    mutating func delay() -> UInt64 { options.delayMin + random.duration(mean: options.delayMean) }

    // MARK: Faults

    func isCut(from: Int, to: Int) -> Bool { links[from][to].cuts > 0 }

    mutating func cut(from: Int, to: Int) { links[from][to].cuts += 1 }

    mutating func heal(from: Int, to: Int) { links[from][to].cuts = max(0, links[from][to].cuts - 1) }

    /// Heals for good, whatever cuts or clogs the link: what is sent from now on goes over a new connection.
    mutating func restore(from: Int, to: Int) {
        links[from][to].cuts = 0
        links[from][to].clogged = .zero
        links[from][to].lastArrival = .zero
    }

    /// Holds everything that is sent from now on back until `time`.
    mutating func clog(from: Int, to: Int, until time: WorldTime) { links[from][to].clogged = time }
}
