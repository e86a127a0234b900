/// Columns of text under a heading; numbers stand to the right.
struct Table {
    enum Alignment { case left, right }

    private let alignments: [Alignment]
    private var rows: [[String]]

    init(_ columns: KeyValuePairs<String, Alignment>) {
        alignments = columns.map(\.value)
        rows = [columns.map(\.key)]
    }

    mutating func append(_ cells: [String]) {
        precondition(cells.count == alignments.count, "\(cells.count) cells for \(alignments.count) columns")
        rows.append(cells)
    }

    /// One string per line, the heading first, without trailing blanks.
    var lines: [String] {
        let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { column in
                let blanks = String(repeating: " ", count: widths[column] - row[column].count)
                return alignments[column] == .left ? row[column] + blanks : blanks + row[column]
            }
            let line = cells.joined(separator: "  ")
            return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
        }
    }
}
