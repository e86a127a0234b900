import ByteCoding

/// Writes a snapshot's file, front to back.
struct SnapshotEncoder {
    private let file: any SnapshotFile
    private let header: SnapshotHeader
    private var block = ByteWriter()
    private var hash = SnapshotHash()
    private var blocks: UInt64 = 0
    private var pairs: UInt64 = 0
    private var bytes: UInt64 = 0

    /// Begins the file, which must be empty.
    init(_ header: SnapshotHeader, to file: any SnapshotFile) throws(StorageError) {
        self.file = file
        self.header = header
        var fields = ByteWriter()
        header.append(to: &fields)
        var writer = ByteWriter()
        writer.append(SnapshotFormat.magic)
        writer.append(SnapshotFormat.version)
        writer.appendLengthPrefixed(fields.take())
        try append(&writer)
        beginBlock()
    }

    /// Adds a pair, whose key is above all before it.
    ///
    /// - Parameter check: asked before a block goes to the file, with its size; what it throws ends the snapshot.
    mutating func add(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
        beforeBlock check: (_ bytes: Int) throws(StorageError) -> Void = { (_: Int) throws(StorageError) in }
    ) throws(StorageError) {
        block.appendLengthPrefixed(key)
        block.appendLengthPrefixed(value)
        pairs += 1
        guard block.count >= SnapshotFormat.blockBytes else { return }
        try check(block.count)
        try endBlock()
    }

    /// Completes the file and makes its content durable.
    mutating func finish() throws(StorageError) -> SnapshotDescription {
        if block.count > MemoryLayout<UInt32>.size { try endBlock() }
        var footer = ByteWriter()
        footer.append(0 as UInt32)
        footer.append(blocks)
        footer.append(pairs)
        footer.append(hash.value)
        let total = hash.value
        try append(&footer)
        try file.sync()
        return SnapshotDescription(header, totalBytes: bytes, hash: total)
    }

    private mutating func beginBlock() {
        block = ByteWriter(reservingCapacity: SnapshotFormat.blockBytes + 4096)
        block.append(0 as UInt32)
    }

    private mutating func endBlock() throws(StorageError) {
        try Failpoint.snapshotMakeBlock.reachOrFail()
        block.overwrite(at: 0, with: UInt32(block.count - MemoryLayout<UInt32>.size))
        blocks += 1
        var full = ByteWriter()
        swap(&full, &block)
        beginBlock()
        try append(&full)
    }

    /// Closes a part with its checksum.
    private mutating func append(_ part: inout ByteWriter) throws(StorageError) {
        let checksum = part.bytes.withUnsafeBytes { CRC32C.checksum($0) }
        hash.add(checksum)
        part.append(checksum)
        bytes += UInt64(part.count)
        try file.append(part.take())
    }
}
