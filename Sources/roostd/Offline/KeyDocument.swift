import KeyValue
import RaftStorage

/// A user's key as it stands in the state.
struct KeyDocument: Codable {
    /// Printable bytes as they are, others as `\xNN`.
    var key: String
    /// Of the user's value.
    var bytes: Int
    /// The entry and the command in it that wrote the value.
    var version: String
    /// Its beginning, as `key`.
    var value: String

    private static let shownBytes = 32

    /// - Throws: `.corruption` for a stored value that is none.
    init(_ key: UnsafeRawBufferPointer, _ stored: UnsafeRawBufferPointer) throws(StorageError) {
        self.key = KeyText.of(key, limit: .max)
        do throws(ValueFormatError) {
            let (header, value) = try ValueHeader.decode(stored)
            bytes = value.count
            version = "\(header.version)"
            self.value = KeyText.of(value, limit: Self.shownBytes)
        } catch {
            throw StorageError(.corruption, "the key \(KeyText.of(key)): \(error)")
        }
    }

    var line: String { "\(key)\t\(version)\t\(bytes) B\t\(value)" }
}
