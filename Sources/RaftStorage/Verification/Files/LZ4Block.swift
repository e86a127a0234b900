/// Unpacks LZ4's block format (github.com/lz4/lz4, lz4_Block_format.md): the index of a table is compressed as its data
/// is. For looking at files only; RocksDB reads with its own library.
enum LZ4Block {
    /// Nil unless the bytes unpack to exactly `count` bytes.
    static func unpack(_ packed: UnsafeRawBufferPointer, to count: Int) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var offset = 0

        /// A length whose first four bits are `head`: 15 goes on in further bytes, until one is not 255.
        func length(_ head: UInt8) -> Int? {
            var length = Int(head)
            guard head == 15 else { return length }
            while true {
                guard offset < packed.count, length <= count else { return nil }
                let byte = packed[offset]
                offset += 1
                length += Int(byte)
                if byte != 255 { return length }
            }
        }

        while offset < packed.count {
            let token = packed[offset]
            offset += 1
            guard let literals = length(token >> 4), literals <= packed.count - offset,
                literals <= count - result.count
            else { return nil }
            result += packed[offset..<offset + literals]
            offset += literals
            // The last sequence has literals alone.
            if offset == packed.count { break }
            guard packed.count - offset >= 2 else { return nil }
            let distance = Int(packed[offset]) | Int(packed[offset + 1]) << 8
            offset += 2
            guard let extra = length(token & 15), distance > 0, distance <= result.count,
                extra + minimumMatch <= count - result.count
            else { return nil }
            // A match may overlap what it makes.
            for _ in 0..<extra + minimumMatch { result.append(result[result.count - distance]) }
        }
        return result.count == count ? result : nil
    }

    private static let minimumMatch = 4
}
