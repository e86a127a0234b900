/// What a node has repaired by itself, and what it is to repair at its next start: the file `repairs` of its directory.
///
/// ```
/// roost-repairs 1
/// SECONDS LOSS ordered|done|failed        one line for each repair, the oldest first; seconds since 1970
/// ```
/// Only the last line can be `ordered`. A file that can't be read says that too much is damaged for the node to help itself.
struct RepairLedger {
    struct Line: Hashable {
        enum Standing: String {
            case ordered, done, failed
        }

        var seconds: UInt64
        var loss: Repair.Loss
        var standing: Standing
    }

    private let path: String
    private(set) var lines: [Line]

    private static let title = "roost-repairs 1"
    private static let maxLines = 100

    /// - Throws: `.corruption` for a file that is none of these, `.io`.
    init(_ directory: DataDirectory) throws(StorageError) {
        path = directory.repairs
        guard let bytes = try FileSystem.read(path) else {
            lines = []
            return
        }
        guard let lines = Self.lines(of: bytes) else { throw StorageError(.corruption, "\(path) can't be read") }
        self.lines = lines
    }

    /// What such a file holds; nil for one that is none.
    static func lines(of bytes: [UInt8]) -> [Line]? {
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard text.first == title[...] else { return nil }
        var lines: [Line] = []
        for line in text.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 3, let seconds = UInt64(words[0]),
                let loss = Repair.Loss.allCases.first(where: { $0.flag == "--" + words[1] }),
                let standing = Line.Standing(rawValue: String(words[2]))
            else { return nil }
            lines.append(Line(seconds: seconds, loss: loss, standing: standing))
        }
        return lines
    }

    /// What the next start is to do.
    var ordered: Repair.Loss? { lines.last.flatMap { $0.standing == .ordered ? $0.loss : nil } }

    /// Repairs within so many seconds of `now`, on either side of it: a clock may have been wrong.
    func count(within seconds: UInt64, of now: UInt64) -> Int {
        lines.count { max($0.seconds, now) - min($0.seconds, now) < seconds }
    }

    /// When the repairs were, in seconds since 1970; the oldest first.
    var times: [UInt64] { lines.map(\.seconds) }

    /// Durable on return.
    mutating func order(_ loss: Repair.Loss, at seconds: UInt64) throws(StorageError) {
        if ordered != nil { lines.removeLast() }
        lines.append(Line(seconds: seconds, loss: loss, standing: .ordered))
        try write()
    }

    /// Durable on return.
    mutating func close(_ standing: Line.Standing) throws(StorageError) {
        guard ordered != nil else { return }
        lines[lines.count - 1].standing = standing
        try write()
    }

    /// A repair was done: whatever was ordered is not to be done again, and a file that can't be read goes.
    static func settle(in directory: DataDirectory) throws(StorageError) {
        do throws(StorageError) {
            var ledger = try RepairLedger(directory)
            try ledger.close(.done)
        } catch {
            guard error.kind == .corruption else { throw error }
            try FileSystem.remove(directory.repairs)
        }
    }

    private func write() throws(StorageError) {
        let text = lines.suffix(Self.maxLines).map { line in
            "\(line.seconds) \(line.loss.flag.dropFirst(2)) \(line.standing.rawValue)\n"
        }
        try FileSystem.write(Array((Self.title + "\n" + text.joined()).utf8), to: path)
    }
}
