@testable import ByteCoding
import Testing

@Suite("Bytes, their readers and writers")
struct ByteCodingTests {
    @Test func `CRC-32C of the RFC 3720 examples`() {
        #expect(CRC32C.checksum(Bytes("123456789")) == 0xE306_9283)
        #expect(CRC32C.checksum(Bytes([UInt8](repeating: 0, count: 32))) == 0x8A91_36AA)
        #expect(CRC32C.checksum(Bytes([UInt8](repeating: 0xFF, count: 32))) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Bytes([UInt8](0..<32))) == 0x46DD_794E)
    }

    @Test(arguments: 0..<40) func `a checksum in pieces equals the checksum of the whole`(cut: Int) {
        let whole = Bytes([UInt8](0..<40))
        var crc = CRC32C()
        crc.update(whole.slice(0..<cut))
        crc.update(whole.slice(cut..<40))
        #expect(crc.value == CRC32C.checksum(whole))
    }

    @Test func `the processor's instruction and the tables agree, whatever length and alignment`() {
        let random = (0..<600).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
        random.withUnsafeBytes { whole in
            for start in 0..<9 {
                for count in [0, 1, 7, 8, 9, 63, 64, 65, 500] {
                    let part = UnsafeRawBufferPointer(rebasing: whole[start..<start + count])
                    var byTable = CRC32C()
                    byTable.updateByTable(part)
                    #expect(CRC32C.checksum(part) == byTable.value, "\(count) bytes from \(start)")
                }
            }
        }
        #if arch(x86_64)
        #expect(CRC32C.hasInstruction, "without SSE 4.2 this test compares the tables with themselves")
        #endif
    }

    @Test func `what the writer wrote the reader reads`() throws {
        var writer = ByteWriter()
        writer.append(7 as UInt8)
        writer.append(0x0102 as UInt16)
        writer.append(UInt32.max)
        writer.append(UInt64(1) << 40)
        writer.appendBigEndian(UInt64(5))
        writer.appendLengthPrefixed(Bytes("key"))
        writer.overwrite(at: 1, with: UInt16(9))
        var reader = ByteReader(writer.take())
        #expect(try reader.u8("a") == 7)
        #expect(try reader.u16("b") == 9)
        #expect(try reader.u32("c") == .max)
        #expect(try reader.u64("d") == 1 << 40)
        #expect(try reader.u64BigEndian("e") == 5)
        #expect(try reader.lengthPrefixed("f") == "key")
        #expect(reader.isAtEnd)
        #expect(writer.count == 0)
    }

    @Test func `a length beyond the end is malformed, not a crash`() {
        var writer = ByteWriter()
        writer.append(UInt32.max)
        writer.append(1 as UInt8)
        var reader = ByteReader(writer.take())
        #expect(throws: MalformedBytes("key", at: 4)) { try reader.lengthPrefixed("key") }
        var empty = ByteReader(Bytes())
        #expect(throws: MalformedBytes("term", at: 0)) { try empty.u64("term") }
    }

    @Test func `slices compare and hash by content, not by storage`() {
        let a = Bytes("xxkeyxx").slice(2..<5)
        #expect(a == "key")
        #expect(a.hashValue == Bytes("key").hashValue)
        #expect(Bytes("ab") < "abc")
        #expect(Bytes("b") > "abc")
    }
}
