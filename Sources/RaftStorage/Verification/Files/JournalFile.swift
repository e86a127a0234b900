/// Checks a file of records in the form that RocksDB's write-ahead log and its MANIFEST share, without RocksDB.
///
/// ```
/// file    block of 32 KiB | …          a record that does not fit goes on in the next block
/// piece   checksum u32 | length u16 | kind u8 | bytes          the checksum covers kind and bytes
/// kind    1 whole record, 2 first piece, 3 middle piece, 4 last piece; 0: nothing was written from here on
/// ```
/// (db/log_format.h.) Less than a piece's head at the end of a block is filled with zeros.
struct JournalFile {
    /// Where the file stops making sense.
    struct Damage: Hashable {
        var offset: Int
        var what: String
        /// Whether nothing valid follows: then it may be a last write that was cut off, which nobody was told of.
        var isLast: Bool

        func sentence(of path: String) -> String { "\(path): \(what) at \(offset)" }
    }

    private enum Kind {
        static let none: UInt8 = 0
        static let whole: UInt8 = 1
        static let first: UInt8 = 2
        static let middle: UInt8 = 3
        static let last: UInt8 = 4
    }

    private let file: DiskFile
    /// Of the file when it was opened.
    var byteCount: Int { file.byteCount }
    private var offset = 0
    private var isInsideRecord = false
    /// The space behind the last record was looked through.
    private var hasReachedEnd = false
    /// Found so far; nothing is read behind it.
    private(set) var damage: Damage?

    private static let blockBytes = 32 << 10
    private static let headBytes = 7

    init(_ file: DiskFile) { self.file = file }

    /// Checks the next block and says how many bytes it took; nil after the last, and after damage: then see `damage`.
    ///
    /// - Throws: `.io`.
    mutating func checkNext() throws(StorageError) -> Int? {
        guard damage == nil, offset < file.byteCount else {
            if damage == nil, isInsideRecord { noteDamage("the last record is not whole", isLast: true) }
            return nil
        }
        let start = offset
        let count = min(Self.blockBytes, file.byteCount - start)
        let (end, isAfter, flaw) = try file.withBytes(start, count) { [isInsideRecord] (block) throws(StorageError) in
            Self.check(block, isInsideRecord)
        }
        isInsideRecord = isAfter
        if let flaw {
            offset = start + end
            noteDamage(flaw, isLast: try !isAnythingValid(in: start, from: end))
            return nil
        }
        if count - end >= Self.headBytes, !hasReachedEnd {
            // RocksDB goes on with the next block without a word.
            guard try !isAnythingValid(in: start, from: end) else {
                offset = start + end
                noteDamage("zeros where a record was", isLast: false)
                return nil
            }
            hasReachedEnd = true
        }
        offset = start + count
        return count
    }

    private mutating func noteDamage(_ what: String, isLast: Bool) {
        damage = Damage(offset: offset, what: what, isLast: isLast)
    }

    /// Walks over the pieces of a block: how far they make sense, whether a record is open then, and what is wrong there.
    private static func check(
        _ block: UnsafeRawBufferPointer, _ wasInside: Bool
    ) -> (end: Int, isInside: Bool, flaw: String?) {
        var (position, isInside) = (0, wasInside)
        while block.count - position >= headBytes {
            let length = Int(block.number(position + 4, as: UInt16.self))
            let kind = block[position + 6]
            if kind == Kind.none, length == 0 {
                // Space that was set aside and never written.
                let isEmpty = block[position...].allSatisfy { $0 == 0 }
                return (position, isInside, isEmpty ? nil : "bytes where nothing was written")
            }
            guard length <= block.count - position - headBytes else {
                return (position, isInside, "a record that goes on behind its block")
            }
            guard isIntact(block, position, length) else { return (position, isInside, "a wrong checksum") }
            switch kind {
            case Kind.whole where !isInside: break
            case Kind.first where !isInside: isInside = true
            case Kind.middle where isInside: break
            case Kind.last where isInside: isInside = false
            default: return (position, isInside, "a piece of kind \(kind) out of order")
            }
            position += headBytes + length
        }
        let isEmpty = block[position...].allSatisfy { $0 == 0 }
        return (position, isInside, isEmpty ? nil : "bytes that are no record")
    }

    private static func isIntact(_ block: UnsafeRawBufferPointer, _ position: Int, _ length: Int) -> Bool {
        let covered = UnsafeRawBufferPointer(rebasing: block[position + 6..<position + headBytes + length])
        return block.number(position) == MaskedChecksum.of(covered)
    }

    /// Whether a record begins anywhere behind the damage and is intact: it was written later, after the damaged one had
    /// been synced. In the block of the damage no length can be believed: every place is tried.
    ///
    /// The middle and the end of a record count for nothing by themselves: pieces of one write may reach the disk in any
    /// order before power fails.
    private func isAnythingValid(in block: Int, from position: Int) throws(StorageError) -> Bool {
        for start in stride(from: block, to: file.byteCount, by: Self.blockBytes) {
            let count = min(Self.blockBytes, file.byteCount - start)
            let isValid = try file.withBytes(start, count) { (bytes) throws(StorageError) in
                start == block
                    ? (position..<count).contains { Self.beginsRecord(bytes, $0) } : Self.holdsBeginning(bytes)
            }
            if isValid { return true }
        }
        return false
    }

    /// Whether an intact record begins in a block that has nothing to do with the damage. It may begin with pieces of a
    /// record that began in an earlier one; behind further damage every place is tried.
    private static func holdsBeginning(_ block: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while let length = intactLength(block, position) {
            if beginsRecord(block, position) { return true }
            position += headBytes + length
        }
        return (position..<block.count).contains { beginsRecord(block, $0) }
    }

    private static func beginsRecord(_ block: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        guard block.count - position >= headBytes else { return false }
        let kind = block[position + 6]
        return (kind == Kind.whole || kind == Kind.first) && intactLength(block, position) != nil
    }

    /// How many bytes the piece at a place has behind its head; nil if that is no piece, or a damaged one.
    private static func intactLength(_ block: UnsafeRawBufferPointer, _ position: Int) -> Int? {
        guard block.count - position >= headBytes else { return nil }
        let length = Int(block.number(position + 4, as: UInt16.self))
        guard length <= block.count - position - headBytes, isIntact(block, position, length) else { return nil }
        return length
    }

    /// The damage in the last block of a file, where RocksDB can't tell it from a write that was cut off; nil for none.
    ///
    /// - Throws: `.io`.
    static func damageInLastBlock(of file: DiskFile) throws(StorageError) -> Damage? {
        let start = max(0, file.byteCount - 1) / blockBytes * blockBytes
        let (end, flaw) = try file.withBytes(start, file.byteCount - start) { (block) throws(StorageError) in
            // How the block begins depends on the one before, which does not matter here.
            let isInside = block.count >= headBytes && [Kind.middle, Kind.last].contains(block[6])
            let found = check(block, isInside)
            return (found.end, found.flaw)
        }
        guard let flaw else { return nil }
        let isLast = try !JournalFile(file).isAnythingValid(in: start, from: end)
        return Damage(offset: start + end, what: flaw, isLast: isLast)
    }
}
