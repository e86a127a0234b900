/// An immutable, reference-counted run of bytes whose slices share their storage.
///
/// The currency for payloads between the layers: no Foundation, no NIO, cheap to copy (one retain), cheap to slice
/// (no copy). A slice keeps the whole storage alive.
public struct Bytes: Sendable {
    @usableFromInline let storage: [UInt8]
    @usableFromInline let lower: Int
    @usableFromInline let upper: Int

    /// The number of bytes.
    @inlinable public var count: Int { upper - lower }
    @inlinable public var isEmpty: Bool { upper == lower }

    @inlinable init(storage: [UInt8], lower: Int, upper: Int) {
        self.storage = storage
        self.lower = lower
        self.upper = upper
    }

    /// No bytes at all.
    @inlinable public init() { self.init(storage: [], lower: 0, upper: 0) }

    /// Takes the array over without a copy.
    @inlinable public init(_ array: [UInt8]) { self.init(storage: array, lower: 0, upper: array.count) }

    /// Copies the bytes that the buffer points to.
    @inlinable public init(copying buffer: UnsafeRawBufferPointer) { self.init([UInt8](buffer)) }

    /// The UTF-8 form of the text.
    @inlinable public init(_ text: some StringProtocol) { self.init([UInt8](text.utf8)) }

    /// The bytes at offsets `range` (0-based, relative to this run), sharing the storage.
    ///
    /// - Precondition: `range` lies within `0 ..< count`.
    @inlinable public func slice(_ range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice \(range) of \(count) bytes")
        return Bytes(storage: storage, lower: lower + range.lowerBound, upper: lower + range.upperBound)
    }

    @inlinable public subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count, "offset \(offset) of \(count) bytes")
        return storage[lower + offset]
    }

    /// Gives `body` the bytes in place; the pointer is valid only during the call.
    @inlinable public func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let (lower, upper) = (lower, upper)
        var result: Result<R, E>?
        storage.withUnsafeBytes { whole in
            do throws(E) { result = .success(try body(UnsafeRawBufferPointer(rebasing: whole[lower..<upper]))) } catch {
                result = .failure(error)
            }
        }
        return try result!.get()
    }

    /// A copy as an array.
    @inlinable public var array: [UInt8] {
        lower == 0 && upper == storage.count ? storage : Array(storage[lower..<upper])
    }

    /// The bytes as text; bytes that are no UTF-8 become U+FFFD.
    public var text: String { String(decoding: storage[lower..<upper], as: UTF8.self) }
}

extension Bytes: Hashable {
    @inlinable public static func == (a: Bytes, b: Bytes) -> Bool {
        guard a.count == b.count else { return false }
        return a.storage[a.lower..<a.upper] == b.storage[b.lower..<b.upper]
    }

    @inlinable public func hash(into hasher: inout Hasher) {
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension Bytes: Comparable {
    /// Bytewise order, a prefix before its extensions: the order of RocksDB's default comparator.
    @inlinable public static func < (a: Bytes, b: Bytes) -> Bool {
        a.storage[a.lower..<a.upper].lexicographicallyPrecedes(b.storage[b.lower..<b.upper])
    }
}

extension Bytes: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}

extension Bytes: CustomStringConvertible {
    public var description: String { "\(count) bytes" }
}
