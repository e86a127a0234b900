/// The dead end that got furthest, which is what a violation shows.
struct Evidence: Sendable {
    /// Numbers of the `Schedule`, in the order in which they were placed.
    private(set) var path: [Int32] = []
    /// The return that could not be passed; -1 before the first dead end.
    private(set) var position = -1
    private var unknown = 0
    /// How many of the first elements of `path` the search still has in common with it: only the rest must be copied when
    /// a better dead end is met.
    private var common = 0

    /// The search has taken its last placements back and has `depth` left.
    mutating func retreated(to depth: Int) { common = min(common, depth) }

    /// Keeps the dead end if it is at a later return, or at the same one with more known operations placed, or with as
    /// many and fewer unknown ones.
    mutating func note(position: Int, unknown: Int, path new: [Search.Placement]) {
        let known = path.count - self.unknown
        guard (position, new.count - unknown, -unknown) > (self.position, known, -self.unknown) else { return }
        path.removeSubrange(common...)
        path.append(contentsOf: new[common...].lazy.map(\.operation))
        (self.position, self.unknown, common) = (position, unknown, new.count)
    }
}
