/// What will happen, by time, and at the same time by the order in which it was planned: a binary heap.
struct EventQueue {
    private struct Planned {
        var time: UInt64
        var sequence: UInt64
        var event: Event

        @inline(__always)
        static func < (a: Planned, b: Planned) -> Bool {
            a.time < b.time || (a.time == b.time && a.sequence < b.sequence)
        }
    }

    private var heap: [Planned] = []
    private var sequence: UInt64 = 0

    var count: Int { heap.count }
    var nextTime: WorldTime? { heap.first.map { WorldTime(nanoseconds: $0.time) } }

    mutating func plan(_ event: Event, at time: WorldTime) {
        sequence += 1
        heap.append(Planned(time: time.nanoseconds, sequence: sequence, event: event))
        siftUp()
    }

    mutating func next() -> (time: WorldTime, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            siftDown(last)
        }
        return (WorldTime(nanoseconds: first.time), first.event)
    }

    private mutating func siftUp() {
        heap.withUnsafeMutableBufferPointer { heap in
            var place = heap.count - 1
            let item = heap[place]
            while place > 0 {
                let parent = (place - 1) / 2
                guard item < heap[parent] else { break }
                heap[place] = heap[parent]
                place = parent
            }
            heap[place] = item
        }
    }

    /// Lets `item` sink from the root.
    private mutating func siftDown(_ item: Planned) {
        heap.withUnsafeMutableBufferPointer { heap in
            var place = 0
            while true {
                var child = 2 * place + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < item else { break }
                heap[place] = heap[child]
                place = child
            }
            heap[place] = item
        }
    }
}
