/// Things that events name by number. Numbers of removed things are used again.
struct Slab<Element> {
    private var elements: [Element?] = []
    private var free: [Int32] = []
    private(set) var count = 0

    mutating func insert(_ element: Element) -> Int32 {
        count += 1
        if let place = free.popLast() {
            elements[Int(place)] = element
            return place
        }
        elements.append(element)
        return Int32(elements.count - 1)
    }

    /// - Precondition: something is there.
    mutating func remove(_ place: Int32) -> Element {
        guard let element = elements[Int(place)].take() else { preconditionFailure("nothing at \(place)") }
        count -= 1
        free.append(place)
        return element
    }

    subscript(place: Int32) -> Element? {
        get { elements[Int(place)] }
        set { elements[Int(place)] = newValue }
    }
}
