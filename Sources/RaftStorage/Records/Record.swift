import ByteCoding

/// What the small records of the log and of the metadata have in common.
///
/// ```
/// version u8 | fields … | crc32c u32 over the key and everything before
/// ```
/// Fields are little-endian. The checksum covers the key, so that a record in the wrong place is caught as well. It is
/// the last four bytes in every version: damage is told apart from a newer version by it.
enum Record {
    static let version: UInt8 = 1

    static func encode(key: Bytes, _ fields: (inout ByteWriter) -> Void) -> Bytes {
        var writer = ByteWriter(reservingCapacity: 32)
        writer.append(version)
        fields(&writer)
        writer.append(checksum(key, Bytes(writer.bytes)))
        return writer.take()
    }

    /// Checks the record and gives its fields to `read`, which must take all of them. `what` is for messages.
    static func decode<R>(
        _ value: Bytes, key: Bytes, _ what: String,
        _ read: (inout ByteReader) throws(MalformedBytes) -> R
    ) throws(StorageError) -> R {
        let body = value.count - MemoryLayout<UInt32>.size
        guard body >= 1 else { throw StorageError(.corruption, "\(what): \(value.count) bytes are too few") }
        do {
            var tail = ByteReader(value.slice(body..<value.count))
            guard try tail.u32("checksum") == checksum(key, value.slice(0..<body)) else {
                throw StorageError(.corruption, "\(what): wrong checksum")
            }
            var reader = ByteReader(value.slice(0..<body))
            let found = try reader.u8("version")
            guard found == version else {
                throw StorageError(.newerFormat, "\(what): record version \(found), this build knows \(version)")
            }
            let result = try read(&reader)
            guard reader.isAtEnd else {
                throw StorageError(.corruption, "\(what): \(reader.remaining) bytes too many")
            }
            return result
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corruption, "\(what): \(error)")
        }
    }

    private static func checksum(_ key: Bytes, _ body: Bytes) -> UInt32 {
        var crc = CRC32C()
        crc.update(key)
        crc.update(body)
        return crc.value
    }
}
