import CRocksDB

/// Calls into the C API with a place for its error text, and throws what it finds there.
@inline(__always)
func checked<R>(
    _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
) throws(RocksDBError) -> R {
    var text: UnsafeMutablePointer<CChar>?
    let result = unsafe call(&text)
    guard let text = unsafe text else { return result }
    defer { unsafe rocksdb_free(text) }
    throw unsafe RocksDBError(message: String(cString: text))
}

extension RawSpan {
    /// Gives `body` the bytes as the C API wants them. RocksDB asserts that a slice never points to null, not even an
    /// empty one, so an empty span gets an address that nobody reads.
    @inline(__always)
    func withCharacters<R, E: Error>(_ body: (UnsafePointer<CChar>, Int) throws(E) -> R) throws(E) -> R {
        try unsafe withUnsafeBytes { (buffer) throws(E) -> R in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return try unsafe body(start ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped, buffer.count)
        }
    }
}

/// Gives `body` the strings as an array of C strings.
func withCStrings<R, E: Error>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>) throws(E) -> R
) throws(E) -> R {
    let characters = strings.map { Array($0.utf8CString) }
    let whole = UnsafeMutableBufferPointer<CChar>.allocate(capacity: characters.reduce(0) { $0 + $1.count })
    let pointers = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: max(strings.count, 1))
    defer {
        unsafe whole.deallocate()
        unsafe pointers.deallocate()
    }
    var offset = 0
    for (position, string) in characters.enumerated() {
        _ = unsafe whole[offset...].update(fromContentsOf: string)
        unsafe pointers[position] = UnsafePointer(whole.baseAddress! + offset)
        offset += string.count
    }
    return try unsafe body(pointers)
}
