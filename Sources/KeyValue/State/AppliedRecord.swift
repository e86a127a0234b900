package import ByteCoding

/// How far a group's state has come, written in the same batch as the effects themselves, so that the two can never
/// disagree: after a crash the state is exactly what the record says.
///
/// ```
/// key    group u64 BE | 0x00 | "applied"
/// value  version u8 | state format u16 | length u32 | position … | crc32c u32 over the key and everything before
/// ```
/// The position is the consensus engine's own and opaque here (Raft: index, term, membership).
package struct AppliedRecord: Hashable, Sendable {
    /// Version of this record's own layout. The checksum stays the last four bytes in every version, so that a damaged
    /// record is never taken for a newer one.
    package static let version: UInt8 = 1

    /// The layout of the state that this build writes, and the newest that it reads.
    package static let knownStateFormat: UInt16 = 1

    /// Version of the layout of everything else in the state: keys, value headers. Who reads the state compares it.
    package var stateFormat: UInt16
    /// The last position whose effects the state holds.
    package var position: Bytes

    package init(position: Bytes, stateFormat: UInt16 = knownStateFormat) {
        self.position = position
        self.stateFormat = stateFormat
    }

    /// Where the record of `group` stands in the state.
    package static func key(group: UInt64) -> Bytes {
        var writer = ByteWriter(reservingCapacity: 16)
        writer.appendBigEndian(group)
        writer.append(0 as UInt8)
        writer.append(Bytes("applied"))
        return writer.take()
    }

    /// The value that belongs under `key(group:)`.
    package func encode(group: UInt64) -> Bytes {
        var writer = ByteWriter(reservingCapacity: 11 + position.count)
        writer.append(Self.version)
        writer.append(stateFormat)
        writer.appendLengthPrefixed(position)
        writer.append(Self.checksum(group: group, over: Bytes(writer.bytes)))
        return writer.take()
    }

    /// Reads the value found under `key(group:)`; the position shares its storage.
    package init(decoding value: Bytes, group: UInt64) throws(AppliedRecordError) {
        let body = value.count - MemoryLayout<UInt32>.size
        guard body >= 1 else { throw .damaged("\(value.count) bytes are too few") }
        do {
            var tail = ByteReader(value.slice(body..<value.count))
            guard try tail.u32("checksum") == Self.checksum(group: group, over: value.slice(0..<body)) else {
                throw AppliedRecordError.damaged("wrong checksum")
            }
            var reader = ByteReader(value.slice(0..<body))
            let version = try reader.u8("version")
            guard version == Self.version else { throw AppliedRecordError.unknownVersion(version) }
            stateFormat = try reader.u16("state format")
            position = try reader.lengthPrefixed("position")
            guard reader.isAtEnd else { throw AppliedRecordError.damaged("\(reader.remaining) bytes too many") }
        } catch let error as AppliedRecordError {
            throw error
        } catch {
            throw .damaged("\(error)")
        }
    }

    private static func checksum(group: UInt64, over body: Bytes) -> UInt32 {
        var crc = CRC32C()
        crc.update(key(group: group))
        crc.update(body)
        return crc.value
    }
}

/// Why an applied record can't be used. Scope: the node.
package enum AppliedRecordError: Error, Hashable, Sendable {
    /// Its bytes are not those that were written.
    case damaged(String)
    /// It is intact, but of a layout that this build doesn't know.
    case unknownVersion(UInt8)
}
