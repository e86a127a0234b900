/// The blocks of a table file: see `TableFile`.
enum TableBlock {
    /// Where a block is.
    struct Handle: Hashable {
        var offset: Int
        /// Without the trailer.
        var size: Int
        var end: Int { offset + size + trailerBytes }

        /// Whether the block ends at or before `limit`; false also for numbers that no file has.
        func isWithin(_ limit: Int) -> Bool {
            offset >= 0 && size >= 0 && size <= limit - trailerBytes && offset <= limit - trailerBytes - size
        }
    }

    /// Compression and checksum.
    static let trailerBytes = 5

    private enum Compression {
        static let none: UInt8 = 0
        static let lz4: UInt8 = 4
    }

    /// - Throws: `.corruption` unless the block fits its checksum.
    static func check(_ block: Handle, of file: DiskFile) throws(StorageError) {
        try file.withBytes(block.offset, block.size + trailerBytes) { (bytes) throws(StorageError) in
            let covered = UnsafeRawBufferPointer(rebasing: bytes[...block.size])
            let checksum = bytes.number(block.size + 1, as: UInt32.self)
            guard checksum == MaskedChecksum.of(covered) || checksum == Self.checksumBeforeIngest(covered) else {
                throw StorageError(
                    .corruption,
                    "\(file.path): the block of \(block.size) bytes at \(block.offset) has a wrong checksum")
            }
        }
    }

    /// Ingesting a table notes a sequence number in its properties, and leaves their checksum as it was made with 0 (RocksDB
    /// up to version 8 does so by default). Nil for blocks that are no properties.
    private static func checksumBeforeIngest(_ block: UnsafeRawBufferPointer) -> UInt32? {
        let name = globalSequenceName
        guard block.count < maxPropertyBytes else { return nil }
        for start in 0..<max(0, block.count - name.count - 8) where block[start] == name[0] {
            guard block[start..<start + name.count].elementsEqual(name) else { continue }
            var copy = [UInt8](block)
            for offset in 0..<8 { copy[start + name.count + offset] = 0 }
            return copy.withUnsafeBytes { MaskedChecksum.of($0) }
        }
        return nil
    }

    /// The end of `rocksdb.external_sst_file.global_seqno`: what a name shares with the one before it is left out.
    private static let globalSequenceName = Array("_sst_file.global_seqno".utf8)
    private static let maxPropertyBytes = 64 << 10

    /// A block's contents, checked and unpacked.
    ///
    /// - Throws: `.corruption`, `.newerFormat` for an intact block that is compressed in a way that this build does not use.
    static func read(_ block: Handle, of file: DiskFile) throws(StorageError) -> [UInt8] {
        try check(block, of: file)
        return try file.withBytes(block.offset, block.size + 1) { (bytes) throws(StorageError) -> [UInt8] in
            let contents = UnsafeRawBufferPointer(rebasing: bytes[..<block.size])
            switch bytes[block.size] {
            case Compression.none: return [UInt8](contents)
            case Compression.lz4:
                // The unpacked size stands in front.
                var numbers = VariableIntegers(contents)
                guard let size = numbers.nextSize(), size <= maxUnpackedBytes,
                    let unpacked = LZ4Block.unpack(
                        UnsafeRawBufferPointer(rebasing: contents[numbers.offset...]), to: size)
                else { throw malformed(block, file) }
                return unpacked
            case let other:
                throw StorageError(
                    .newerFormat, "\(file.path): the block at \(block.offset) has the unknown compression \(other)")
            }
        }
    }

    /// No index is larger: it holds some ten bytes for each block of a table.
    private static let maxUnpackedBytes = 1 << 30

    /// The handles that an index or metaindex lists.
    ///
    /// ```
    /// entry  shared | unshared | [length of the value] | unshared bytes of the key | value     metaindex: with length
    /// value  handle; packed, and where the key shares bytes with the one before: the difference of the sizes
    /// block  entry | … | restart u32 … | restarts u32
    /// ```
    ///
    /// - Parameter place: the block that `contents` was read from, for messages.
    static func handles(
        in contents: [UInt8], packed: Bool, _ place: Handle, of file: DiskFile
    ) throws(StorageError) -> [Handle] {
        let handles = contents.withUnsafeBytes { bytes -> [Handle]? in
            guard bytes.count >= 4 else { return nil }
            let end = bytes.count - 4 - 4 * Int(bytes.number(bytes.count - 4, as: UInt32.self))
            guard end >= 0 else { return nil }
            var numbers = VariableIntegers(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            var handles: [Handle] = []
            while numbers.offset < end {
                guard let handle = next(&numbers, packed: packed, after: handles.last),
                    handle.isWithin(file.byteCount)
                else { return nil }
                handles.append(handle)
            }
            return handles
        }
        guard let handles else { throw malformed(place, file) }
        return handles
    }

    private static func next(_ numbers: inout VariableIntegers, packed: Bool, after last: Handle?) -> Handle? {
        guard let shared = numbers.nextSize(), let unshared = numbers.nextSize() else { return nil }
        if !packed {
            guard let length = numbers.nextSize(), numbers.skip(unshared) else { return nil }
            let start = numbers.offset
            guard let handle = Handle(&numbers), numbers.offset - start == length else { return nil }
            return handle
        }
        guard numbers.skip(unshared) else { return nil }
        guard shared > 0, let last else { return Handle(&numbers) }
        guard let difference = numbers.nextSigned() else { return nil }
        let (size, overflow) = last.size.addingReportingOverflow(difference)
        return overflow ? nil : Handle(offset: last.end, size: size)
    }

    private static func malformed(_ block: Handle, _ file: DiskFile) -> StorageError {
        StorageError(.corruption, "\(file.path): the index at \(block.offset) can't be read")
    }
}

extension TableBlock.Handle {
    init?(_ numbers: inout VariableIntegers) {
        guard let offset = numbers.nextSize(), let size = numbers.nextSize() else { return nil }
        self.init(offset: offset, size: size)
    }
}
