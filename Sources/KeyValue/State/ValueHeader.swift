/// What stands before each user value.
///
/// ```
/// format version (high 4 bits) | flags (low 4 bits)   u8
/// expiry, if flagged                                  u64   milliseconds since 1970
/// version: index, ordinal                             u64, u32                         integers little-endian
/// ```
package struct ValueHeader: Hashable, Sendable {
    /// The newest format that this node writes and reads.
    package static let formatVersion: UInt8 = 1
    private static let expiryFlag: UInt8 = 0b0001
    private static let knownFlags = expiryFlag

    /// The position of the command that wrote the value.
    package var version: Version
    /// Milliseconds since 1970, compared with the leader's stamps and with no local clock; `nil`: never. No command of
    /// this version sets it.
    package var expiry: UInt64?

    package init(version: Version, expiry: UInt64? = nil) {
        self.version = version
        self.expiry = expiry
    }

    package var byteCount: Int { expiry == nil ? 13 : 21 }

    /// Splits a stored value; `value` points into `stored`.
    package static func decode(
        _ stored: UnsafeRawBufferPointer
    ) throws(ValueFormatError) -> (header: ValueHeader, value: UnsafeRawBufferPointer) {
        guard let first = stored.first else { throw .tooShort(bytes: 0) }
        let (format, flags) = (first >> 4, first & 0x0F)
        guard format <= formatVersion else { throw .newerVersion(format) }
        guard format == formatVersion else { throw .unknownVersion(format) }
        guard flags & ~knownFlags == 0 else { throw .unknownFlags(flags) }
        let hasExpiry = flags & expiryFlag != 0
        let versionOffset = hasExpiry ? 9 : 1
        let end = versionOffset + 12
        guard stored.count >= end else { throw .tooShort(bytes: stored.count) }
        let index = UInt64(littleEndian: stored.loadUnaligned(fromByteOffset: versionOffset, as: UInt64.self))
        let ordinal = UInt32(littleEndian: stored.loadUnaligned(fromByteOffset: versionOffset + 8, as: UInt32.self))
        let expiry = hasExpiry ? UInt64(littleEndian: stored.loadUnaligned(fromByteOffset: 1, as: UInt64.self)) : nil
        let header = ValueHeader(version: Version(index: index, ordinal: ordinal), expiry: expiry)
        return (header, UnsafeRawBufferPointer(rebasing: stored[end...]))
    }

    /// Gives `body` the encoded header, on the stack.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 1) { memory in
            memory[0] = Self.formatVersion << 4 | (expiry == nil ? 0 : Self.expiryFlag)
            var offset = 1
            if let expiry {
                memory.storeBytes(of: expiry.littleEndian, toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
            memory.storeBytes(of: version.index.littleEndian, toByteOffset: offset, as: UInt64.self)
            memory.storeBytes(of: version.ordinal.littleEndian, toByteOffset: offset + 8, as: UInt32.self)
            return body(UnsafeRawBufferPointer(memory))
        }
    }
}

/// A stored value that this node cannot read. Scope: the node; the state is damaged, or was written by a newer version.
package enum ValueFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooShort(bytes: Int)
    case newerVersion(UInt8)
    case unknownVersion(UInt8)
    case unknownFlags(UInt8)

    package var description: String {
        switch self {
        case .tooShort(let bytes): "a stored value of \(bytes) bytes is shorter than its header: the state is damaged"
        case .newerVersion(let version):
            "a stored value has format \(version), this node reads up to \(ValueHeader.formatVersion): upgrade the node"
        case .unknownVersion(let version): "a stored value has format \(version), which never existed: damaged state"
        case .unknownFlags(let flags):
            "a stored value has flags \(flags) that this node does not know: upgrade the node"
        }
    }
}
