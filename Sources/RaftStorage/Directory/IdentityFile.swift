import ByteCoding
import Raft

/// The file IDENTITY: text, so that an operator can read it, with a checksum over every byte before the last line.
///
/// ```
/// roost-identity 1
/// node 1
/// cluster-id 91f0c2d4a5b6e778
/// incarnation 0c7e5a1b2d3f4a69
/// founders 1,2,3
/// cluster-name roost
/// born 1795965704442131310
/// crc32c 1a2b3c4d
/// ```
/// `born` is when the file itself was made (`FileSystem.birth(of:)`): where that is not so, the directory is a copy. The
/// line is missing where the file system does not tell.
enum IdentityFile {
    static let version = 1

    struct Content: Hashable {
        var identity: Identity
        /// Nanoseconds since 1970; nil: the file system did not tell.
        var born: Int64?
    }

    static func encode(_ identity: Identity, born: Int64?) -> [UInt8] {
        var body = """
            roost-identity \(version)
            node \(identity.node)
            cluster-id \(identity.clusterID.hex)
            incarnation \(identity.incarnation.hex)
            founders \(identity.founders.listed)
            cluster-name \(identity.clusterName)

            """
        if let born { body += "born \(born)\n" }
        return Array((body + "crc32c \(CRC32C.checksum(Bytes(body)).hex)\n").utf8)
    }

    /// Reads a file; `path` is for messages.
    ///
    /// The parsed identity must encode to the very bytes that were read, so nothing in the file goes unchecked.
    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> Content {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        func field(_ line: Int, _ name: String) -> Substring? {
            guard line < lines.count, lines[line].hasPrefix(name + " ") else { return nil }
            return lines[line].dropFirst(name.count + 1)
        }
        if let found = field(0, "roost-identity").flatMap({ Int($0) }), found > version {
            throw StorageError(.newerFormat, "\(path) has version \(found), this build knows \(version)")
        }
        let founders = field(4, "founders")?.split(separator: ",").compactMap { UInt64($0) }
        guard
            let node = field(1, "node").flatMap({ UInt64($0) }),
            let incarnation = field(3, "incarnation").flatMap({ UInt64($0, radix: 16) }),
            let founders, let name = field(5, "cluster-name")
        else { throw StorageError(.corruption, "\(path) is not an identity file") }
        let identity = Identity(
            node: NodeID(node), clusterName: String(name), founders: founders.map { NodeID($0) },
            incarnation: incarnation, isNew: false)
        let born = field(6, "born").flatMap { Int64($0) }
        guard encode(identity, born: born) == bytes else {
            throw StorageError(.corruption, "\(path) was changed or damaged")
        }
        return Content(identity: identity, born: born)
    }
}

extension FixedWidthInteger {
    /// Lower-case hexadecimal of full width.
    var hex: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Self.bitWidth / 4 - digits.count) + digits
    }
}
