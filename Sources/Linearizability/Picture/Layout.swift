/// Where everything stands in the picture, in pixels.
struct Layout {
    struct Bar {
        var index: Int
        var x: Double
        /// Where the reply came or the client gave up.
        var end: Double
        /// For an unknown outcome: how far the bar goes on, open.
        var tail: Double?
        var y: Double
        /// Where the operation takes effect in the order found, and its number there.
        var point: (x: Double, number: Int)?
    }

    struct Row {
        var client: Int
        var y: Double
        var height: Double
    }

    static let axisHeight = 34.0
    static let laneHeight = 46.0
    static let barHeight = 24.0
    /// From the top of a lane to the bar: room for the number on its upper edge.
    static let barInset = 17.0
    static let rowGap = 6.0
    static let margin = 24.0
    /// A smaller picture is pulled to this width.
    static let leastWidth = 1000.0
    /// How far a bar of unknown outcome goes on at least.
    static let tailWidth = 44.0
    /// An estimate for the label's font, 12 pixels high: nothing here can measure text.
    static let characterWidth = 7.3
    static let longestLabel = 30

    private(set) var bars: [Bar] = []
    private(set) var rows: [Row] = []
    let axis: TimeAxis
    private(set) var width = 0.0
    private(set) var height = Self.axisHeight

    init(_ excerpt: Excerpt, _ operations: [Operation]) {
        let shown = excerpt.shown
        var axis = TimeAxis(
            shown.flatMap { [operations[$0].invoked, operations[$0].returned] }, hiddenCalls: excerpt.hiddenCalls,
            margin: Self.margin)
        // Short bars first: the room they get helps the longer ones around them.
        for index in shown.sorted(by: { Self.duration(operations[$0]) < Self.duration(operations[$1]) }) {
            let label = Self.label(operations[index])
            let room = Double(label.count) * Self.characterWidth + 16
            axis.makeRoom(room, from: operations[index].invoked, to: operations[index].returned)
        }
        axis.fill(Self.leastWidth)
        self.axis = axis
        bars = shown.map { index in
            let operation = operations[index]
            let (x, end) = (axis.x(operation.invoked), axis.x(operation.returned))
            return Bar(
                index: index, x: x, end: max(end, x + 8),
                tail: operation.outcome == .unknown ? end + Self.tailWidth : nil,
                y: 0)
        }
        placePoints(excerpt)
        placeRows(excerpt, operations)
        width = (bars.map { $0.tail ?? $0.end }.max() ?? 0) + Self.margin
    }

    static func label(_ operation: Operation) -> String { Words.shortened(operation.description, to: longestLabel) }

    private static func duration(_ operation: Operation) -> UInt64 { operation.returned - operation.invoked }

    /// Each point lies inside its bar, and right of the point before it.
    private mutating func placePoints(_ excerpt: Excerpt) {
        let placed = bars.indices.filter { excerpt.numbers[bars[$0].index] != nil }
            .sorted { excerpt.numbers[bars[$0].index]! < excerpt.numbers[bars[$1].index]! }
        var latest = [Double](repeating: .infinity, count: placed.count)
        var bound = Double.infinity
        for (place, bar) in placed.enumerated().reversed() {
            bound = min(bound, bars[bar].tail == nil ? bars[bar].end - 4 : .infinity)
            latest[place] = bound
            bound -= 3
        }
        var x = 0.0
        for (place, bar) in placed.enumerated() {
            x = max(min(max(x + 20, bars[bar].x + 10), latest[place]), bars[bar].x)
            bars[bar].point = (x, excerpt.numbers[bars[bar].index]!)
            bars[bar].tail = bars[bar].tail.map { max($0, x + 24) }
        }
    }

    /// A row for each client, with as many lanes as it has bars at once; those that go on and on come last.
    private mutating func placeRows(_ excerpt: Excerpt, _ operations: [Operation]) {
        for client in excerpt.clients {
            var laneEnds: [Double] = []
            let own = bars.indices.filter { operations[bars[$0].index].client == client }
            for bar in own.filter({ bars[$0].tail == nil }) + own.filter({ bars[$0].tail != nil }) {
                let lane = laneEnds.firstIndex { $0 + 4 <= bars[bar].x } ?? laneEnds.count
                let end = bars[bar].tail ?? bars[bar].end
                if lane < laneEnds.count { laneEnds[lane] = end } else { laneEnds.append(end) }
                bars[bar].y = height + Double(lane) * Self.laneHeight + Self.barInset
            }
            let rowHeight = Double(laneEnds.count) * Self.laneHeight + Self.rowGap
            rows.append(Row(client: client, y: height, height: rowHeight))
            height += rowHeight
        }
        height += Self.rowGap
    }
}
