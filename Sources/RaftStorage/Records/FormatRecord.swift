import ByteCoding

/// What tells a build whether it may touch the database at all: key `format` of the column family `default`,
///
/// ```
/// "roost-store" | format version u32 | incompatible features u64
/// ```
/// A build refuses a higher version and any feature bit that it doesn't know.
enum FormatRecord {
    static let version: UInt32 = 1
    static let knownFeatures: UInt64 = 0
    static let key = Bytes("format")
    private static let magic = Bytes("roost-store")

    static func encode(version: UInt32 = version, features: UInt64 = 0) -> Bytes {
        Record.encode(key: key) { writer in
            writer.append(magic)
            writer.append(version)
            writer.append(features)
        }
    }

    static func check(_ value: Bytes) throws(StorageError) {
        let (found, version, features) = try Record.decode(value, key: key, "format record") {
            (reader) throws(MalformedBytes) in
            (try reader.run(magic.count, "name"), try reader.u32("version"), try reader.u64("features"))
        }
        guard found == magic else { throw StorageError(.corruption, "format record: not of a Roost store") }
        guard version <= Self.version else {
            throw StorageError(.newerFormat, "the store has format \(version), this build knows \(Self.version)")
        }
        guard features & ~knownFeatures == 0 else {
            throw StorageError(
                .newerFormat, "the store uses features \(features.hex), this build knows \(knownFeatures.hex)")
        }
    }
}
