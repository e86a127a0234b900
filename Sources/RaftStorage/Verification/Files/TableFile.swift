import ByteCoding

/// Checks a table file (SST) of RocksDB block by block, without RocksDB: nothing is held in memory but one block and the
/// places of all others, so that it can go on as slowly as one likes, beside a database in use.
///
/// ```
/// data block | … | filter, range deletions, properties, … | metaindex | index | footer (53 bytes)
///
/// block   contents | compression u8 | checksum u32 over contents and compression
/// footer  checksum kind u8 | metaindex handle | index handle | 0 … up to byte 41 | version u32 | magic u64
/// handle  offset | size of the contents          numbers of variable length
/// ```
/// (table/format.h.) The blocks must follow one another from the file's first byte to its footer, so that no byte goes
/// unchecked.
struct TableFile {
    private let file: DiskFile
    /// Those of all blocks, ascending.
    private let blocks: [TableBlock.Handle]
    private var position = 0

    private static let magic: UInt64 = 0x88E2_41B7_85F4_CFF7
    private static let footerBytes = 53
    /// Kind of checksum in the footer: CRC-32C. See `RocksLayout`.
    private static let crc32c: UInt8 = 1
    /// See `RocksLayout`.
    private static let version = UInt32(RocksLayout.tableVersion)

    private init(_ file: DiskFile, _ blocks: [TableBlock.Handle]) {
        self.file = file
        self.blocks = blocks
    }

    /// Reads where the blocks are.
    ///
    /// No checksum covers the footer, and it says how all others are made: with one bit of it turned over, RocksDB believes
    /// that there are none, and finds nothing wrong any more. What Roost never writes there (`RocksLayout`) is damage.
    ///
    /// - Throws: `.corruption` with the file's name, `.newerFormat`, `.io`.
    static func open(_ file: DiskFile) throws(StorageError) -> TableFile {
        let footer = try readFooter(of: file)
        let metaindex = try TableBlock.read(footer.metaindex, of: file)
        let index = try TableBlock.read(footer.index, of: file)
        var blocks = [footer.metaindex, footer.index]
        blocks += try TableBlock.handles(in: metaindex, packed: false, footer.metaindex, of: file)
        blocks += try TableBlock.handles(in: index, packed: true, footer.index, of: file)
        blocks.sort { $0.offset < $1.offset }
        var end = 0
        for block in blocks {
            guard block.offset == end else { throw gap(file, from: end, to: block.offset) }
            end = block.end
        }
        guard end == file.byteCount - footerBytes else { throw gap(file, from: end, to: file.byteCount - footerBytes) }
        return TableFile(file, blocks)
    }

    private static func gap(_ file: DiskFile, from end: Int, to next: Int) -> StorageError {
        StorageError(.corruption, "\(file.path): no block ends at \(next); the one before ends at \(end)")
    }

    /// Checks the next block and says how many bytes of the file it took; nil after the last.
    ///
    /// - Throws: `.corruption` with the file's name and the block's place, `.io`. The next call goes on behind the block.
    mutating func checkNext() throws(StorageError) -> Int? {
        guard position < blocks.count else { return nil }
        let block = blocks[position]
        position += 1
        try TableBlock.check(block, of: file)
        return block.end - block.offset
    }

    private static func readFooter(
        of file: DiskFile
    ) throws(StorageError) -> (metaindex: TableBlock.Handle, index: TableBlock.Handle) {
        let start = file.byteCount - footerBytes
        guard start >= 0 else {
            throw StorageError(.corruption, "\(file.path) has \(file.byteCount) bytes, too few for a table")
        }
        return try file.withBytes(start, footerBytes) { (footer) throws(StorageError) in
            guard footer.number(45, as: UInt64.self) == magic else {
                throw StorageError(.corruption, "\(file.path): the last bytes are not those of a table")
            }
            let version = footer.number(41, as: UInt32.self)
            guard version == Self.version, footer[0] == crc32c else {
                throw StorageError(
                    .corruption,
                    "\(file.path): the footer at \(start) says version \(version) and checksums of kind \(footer[0]); "
                        + "Roost writes \(Self.version) and \(crc32c)")
            }
            var numbers = VariableIntegers(footer, from: 1)
            guard let metaindex = TableBlock.Handle(&numbers), let index = TableBlock.Handle(&numbers),
                metaindex.isWithin(start), index.isWithin(start), numbers.offset <= 41,
                footer[numbers.offset..<41].allSatisfy({ $0 == 0 })
            else { throw StorageError(.corruption, "\(file.path): damaged footer at \(start)") }
            return (metaindex, index)
        }
    }
}
