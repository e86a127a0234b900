import ByteCoding
import Glibc
import KeyValue
import Raft

/// Reads a snapshot's file front to back and checks all of it: form, checksums, order, range, counts, the hash, and
/// that the applied record inside says what the header says.
struct SnapshotDecoder {
    private let file: any SnapshotFile
    private let totalBytes: UInt64
    private var offset: UInt64 = 0
    private var hash = SnapshotHash()
    private var blocks: UInt64 = 0
    private var pairs: UInt64 = 0
    /// The last key of the blocks before.
    private var lastKey = Bytes()
    private let description: SnapshotDescription
    /// All keys of the group lie between them.
    private let range: (lower: Bytes, upper: Bytes)

    /// A file that should be what `description` says.
    init(_ file: any SnapshotFile, _ description: SnapshotDescription) throws(SnapshotError) {
        self.file = file
        self.description = description
        range = StateKey.groupRange(description.group.rawValue)
        totalBytes = try snapshot { () throws(StorageError) in try file.byteCount() }
    }

    /// Gives `body` every pair, in order.
    ///
    /// - Throws: `.malformed` unless everything fits, possibly after `body` had many pairs; what `body` throws.
    mutating func read(
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(SnapshotError) {
        guard totalBytes == description.totalBytes else {
            throw .malformed("the snapshot has \(totalBytes) bytes instead of \(description.totalBytes)")
        }
        try readHeader()
        while let block = try nextBlock() { try read(block, body) }
        guard pairs > 0 else { throw .malformed("the snapshot is empty") }
        guard offset == totalBytes else { throw .malformed("the snapshot goes on behind its end") }
    }

    private mutating func readHeader() throws(SnapshotError) {
        var head = ByteReader(try take(SnapshotFormat.headBytes))
        let length: Int
        do throws(MalformedBytes) {
            let magic = try head.run(SnapshotFormat.magic.count, "name")
            let version = try head.u8("version")
            length = Int(try head.u32("header length"))
            guard magic == SnapshotFormat.magic, version == SnapshotFormat.version,
                length <= SnapshotFormat.maxHeaderBytes
            else { throw MalformedBytes("header", at: 0) }
        } catch { throw .malformed("the snapshot: \(error)") }

        offset = 0
        let fields = try takeChecked(SnapshotFormat.headBytes + length)
        var reader = ByteReader(fields.slice(SnapshotFormat.headBytes..<fields.count))
        do throws(MalformedBytes) {
            let header = try SnapshotHeader(reading: &reader)
            guard reader.isAtEnd, header == SnapshotHeader(description) else {
                throw MalformedBytes("header, or another snapshot's", at: 0)
            }
        } catch { throw .malformed("the snapshot: \(error)") }
    }

    /// The pairs of the next block, nil after the footer.
    private mutating func nextBlock() throws(SnapshotError) -> Bytes? {
        let start = offset
        var head = ByteReader(try take(MemoryLayout<UInt32>.size))
        let length = Int((try? head.u32("block length")) ?? 0)
        offset = start
        if length == 0 {
            try readFooter()
            return nil
        }
        let block = try takeChecked(MemoryLayout<UInt32>.size + length)
        blocks += 1
        return block.slice(MemoryLayout<UInt32>.size..<block.count)
    }

    private mutating func readFooter() throws(SnapshotError) {
        let expected = hash.value
        let footer = try takeChecked(SnapshotFormat.footerBytes - MemoryLayout<UInt32>.size)
        var reader = ByteReader(footer)
        do throws(MalformedBytes) {
            _ = try reader.u32("end mark")
            guard try reader.u64("blocks") == blocks, try reader.u64("pairs") == pairs,
                try reader.u64("hash") == expected, expected == description.hash
            else { throw MalformedBytes("counts or hash of a snapshot", at: 0) }
        } catch { throw .malformed("\(error)") }
    }

    /// A snapshot has millions of pairs: they are looked at where they lie.
    private mutating func read(
        _ block: Bytes, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(SnapshotError) {
        let before = lastKey
        lastKey = try before.withUnsafeBytes { (before) throws(SnapshotError) in
            try block.withUnsafeBytes { (memory) throws(SnapshotError) in
                var (last, offset) = (before, 0)
                while offset < memory.count {
                    let (key, value): (UnsafeRawBufferPointer, UnsafeRawBufferPointer)
                    do throws(MalformedBytes) {
                        key = try Self.run(memory, &offset, "key")
                        value = try Self.run(memory, &offset, "value")
                    } catch { throw .malformed("block \(blocks) of the snapshot: \(error)") }
                    if pairs == 0 {
                        try checkApplied(Bytes(copying: key), Bytes(copying: value))
                    } else {
                        try check(key, follows: last)
                    }
                    pairs += 1
                    last = key
                    try snapshot { () throws(StorageError) in try body(key, value) }
                }
                return Bytes(copying: last)
            }
        }
    }

    /// A `u32` length and so many bytes.
    private static func run(
        _ memory: UnsafeRawBufferPointer, _ offset: inout Int, _ what: StaticString
    ) throws(MalformedBytes) -> UnsafeRawBufferPointer {
        let start = offset + MemoryLayout<UInt32>.size
        guard start <= memory.count else { throw MalformedBytes(what.description, at: offset) }
        let count = Int(UInt32(littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        guard count <= memory.count - start else { throw MalformedBytes(what.description, at: offset) }
        offset = start + count
        return UnsafeRawBufferPointer(rebasing: memory[start..<offset])
    }

    private func check(_ key: UnsafeRawBufferPointer, follows last: UnsafeRawBufferPointer) throws(SnapshotError) {
        guard last.precedes(key) else { throw .malformed("keys of the snapshot don't ascend in block \(blocks)") }
        let isWithin =
            range.upper.withUnsafeBytes { key.precedes($0) }
            && range.lower.withUnsafeBytes { !key.precedes($0) }
        guard isWithin else { throw .malformed("the snapshot has a key of another group") }
    }

    private func checkApplied(_ key: Bytes, _ value: Bytes) throws(SnapshotError) {
        guard key == AppliedRecord.key(group: description.group.rawValue) else {
            throw .malformed("the snapshot does not begin with an applied record")
        }
        let position: AppliedPosition
        do throws(StorageError) { position = try AppliedPosition(record: value, group: description.group) } catch {
            // Its sender may run a newer version: nothing of this node's own is wrong.
            throw .malformed("the snapshot can't be used: \(error.message)")
        }
        guard position.id == description.meta.id, position.membership == description.meta.membership else {
            throw .malformed("the snapshot holds the state at \(position.id), and says \(description.meta.id)")
        }
    }

    /// The next bytes, without the checksum that follows them.
    private mutating func takeChecked(_ count: Int) throws(SnapshotError) -> Bytes {
        let part = try take(count)
        var tail = ByteReader(try take(MemoryLayout<UInt32>.size))
        let checksum = CRC32C.checksum(part)
        guard (try? tail.u32("checksum")) == checksum else {
            throw .malformed("wrong checksum in the snapshot before byte \(offset)")
        }
        hash.add(checksum)
        return part
    }

    private mutating func take(_ count: Int) throws(SnapshotError) -> Bytes {
        guard UInt64(count) <= totalBytes - offset else {
            throw .malformed("the snapshot ends before byte \(offset + UInt64(count))")
        }
        defer { offset += UInt64(count) }
        let offset = offset
        return try snapshot { () throws(StorageError) in try file.read(at: offset, count: count) }
    }
}

extension UnsafeRawBufferPointer {
    /// Bytewise order, a prefix before its extensions, as in `Bytes`.
    fileprivate func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        let common = Swift.min(count, other.count)
        guard common > 0, let mine = baseAddress, let theirs = other.baseAddress else { return count < other.count }
        let order = memcmp(mine, theirs, common)
        return order == 0 ? count < other.count : order < 0
    }
}
