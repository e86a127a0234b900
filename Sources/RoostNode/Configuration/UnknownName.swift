/// The sentence for a name that does not exist: with the one that was probably meant, or all there are.
enum UnknownName {
    static func sentence(_ what: String, _ name: String, among known: [String]) -> String {
        let distances = known.map { ($0, editDistance(name, $0)) }
        if let (nearest, distance) = distances.min(by: { $0.1 < $1.1 }), distance <= max(2, name.count / 4) {
            return "unknown \(what); did you mean \(nearest)?"
        }
        return "unknown \(what); expected one of \(known.joined(separator: ", "))"
    }

    /// Levenshtein's distance: the fewest insertions, deletions and replacements that turn one into the other.
    static func editDistance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
