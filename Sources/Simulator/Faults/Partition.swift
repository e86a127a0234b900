/// Which directed links a partition cuts, as pairs of places.
struct Partition: Hashable {
    var cuts: [Pair] = []

    struct Pair: Hashable {
        var from: Int
        var to: Int
    }

    /// Two sides that don't hear each other.
    static func full(_ side: [Int], of nodes: Int) -> Partition {
        between(nodes) { side.contains($0) != side.contains($1) }
    }

    /// One side is not heard by the other, but hears it.
    static func oneWay(from side: [Int], of nodes: Int) -> Partition {
        between(nodes) { side.contains($0) && !side.contains($1) }
    }

    /// Two sides that share one node only.
    static func bridge(_ side: [Int], over bridge: Int, of nodes: Int) -> Partition {
        between(nodes) { $0 != bridge && $1 != bridge && side.contains($0) != side.contains($1) }
    }

    private static func between(_ nodes: Int, _ isCut: (Int, Int) -> Bool) -> Partition {
        var partition = Partition()
        for from in 0..<nodes {
            for to in 0..<nodes where from != to && isCut(from, to) {
                partition.cuts.append(Pair(from: from, to: to))
            }
        }
        return partition
    }
}

extension Partition: CustomStringConvertible {
    /// For each node whom it does not reach: `1 > 2 3, 2 > 1`.
    var description: String {
        var groups: [(from: Int, to: [Int])] = []
        for cut in cuts {
            if groups.last?.from == cut.from {
                groups[groups.count - 1].to.append(cut.to)
            } else {
                groups.append((cut.from, [cut.to]))
            }
        }
        return groups.map { "\($0.from + 1) > " + $0.to.map { "\($0 + 1)" }.joined(separator: " ") }.joined(
            separator: ", ")
    }
}
