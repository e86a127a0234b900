import ByteCoding
import KeyValue
import Raft
import Testing

@testable import RaftStorage

/// The bytes here are the format: a change of one is a change of the format, and old directories must stay readable.
@Suite("Records: golden bytes")
struct RecordGoldenTests {
    @Test func `keys of the log`() {
        #expect(RaftKey.entry(group, LogIndex(7)).hex == "0100000000000000010000000000000007")
        #expect(RaftKey.hardState(group).hex == "020000000000000001")
        #expect(RaftKey.truncation(group).hex == "030000000000000001")
        #expect(RaftKey.commit(group).hex == "040000000000000001")
        #expect(MetadataKey.peer(NodeID(3)).hex == "040000000000000003")
        #expect(AppliedRecord.key(group: 1).hex == "0000000000000001006170706c696564")
    }

    @Test func `keys sort by group, then by index`() {
        let sorted = [(1, 1), (1, 2), (1, 256), (1, UInt64.max), (2, 0), (256, 1)].map {
            RaftKey.entry(GroupID(UInt64($0.0)), LogIndex(UInt64($0.1)))
        }
        #expect(sorted.sorted() == sorted)
    }

    @Test func `a log entry`() throws {
        let entry = Entry(group: group, id: EntryID(term: Term(3), index: LogIndex(7)), kind: .normal, payload: "abc")
        let record = Bytes(hex: "01010000030000000000000061626321ac370a")
        #expect(EntryRecord.head(entry).hex == "010100000300000000000000")
        #expect(entry.checksum == 0x0A37_AC21)
        #expect(try EntryRecord.decode(record, group: group, index: LogIndex(7)) == entry)
    }

    @Test(arguments: [
        (HardState(term: Term(5), vote: NodeID(2)), "0105000000000000000200000000000000a754367d"),
        (HardState(term: Term(5)), "0105000000000000000000000000000000e9ae4eef"),
    ])
    func `a hard state`(state: HardState, hex: String) throws {
        #expect(HardStateRecord.encode(state, group: group).hex == hex)
        #expect(try HardStateRecord.decode(Bytes(hex: hex), group: group) == state)
    }

    @Test func `a truncation marker`() throws {
        let (id, hex) = (EntryID(term: Term(3), index: LogIndex(7)), "010700000000000000030000000000000082c050f8")
        #expect(TruncationRecord.encode(id, group: group).hex == hex)
        #expect(try TruncationRecord.decode(Bytes(hex: hex), group: group) == id)
    }

    @Test func `a commit hint`() throws {
        #expect(CommitRecord.encode(LogIndex(9), group: group).hex == "0109000000000000009811eec0")
        #expect(try CommitRecord.decode(Bytes(hex: "0109000000000000009811eec0"), group: group) == LogIndex(9))
    }

    @Test func `an applied position`() throws {
        let nodes = "03000000010000000000000002000000000000000300000000000000"
        let hex =
            "0207000000000000000300000000000000" + nodes + "00000000" + "00000000" + "00000000" + "00"
            + "0300000000000000" + "00000000"
        let position = AppliedPosition(
            id: EntryID(term: Term(3), index: LogIndex(7)), membership: founders, directory: emptyDirectory)
        #expect(position.encode().hex == hex)
        #expect(try AppliedPosition(decoding: Bytes(hex: hex)) == position)

        var update = DirectoryUpdate()
        update.set(ClusterDirectory.Member(peer: "a:1", incarnation: 7), for: NodeID(1))
        let change = MembershipChange([.addLearner(NodeID(9))], context: update.encode())
        let joint = AppliedPosition(
            id: position.id,
            membership: Membership(
                voters: [NodeID(1)], learners: [NodeID(9)], outgoing: [NodeID(2), NodeID(3)],
                learnersNext: [NodeID(3)], leavesAutomatically: true),
            directory: try emptyDirectory.applying(change, resulting: try founders.applying(change)))
        #expect(try AppliedPosition(decoding: joint.encode()) == joint)
    }

    @Test func `an applied position of version 1 is still read`() throws {
        let hex =
            "0107000000000000000300000000000000"
            + "03000000010000000000000002000000000000000300000000000000" + "010000000900000000000000" + "00000000"
        let position = try AppliedPosition(decoding: Bytes(hex: hex))
        #expect(position.id == EntryID(term: Term(3), index: LogIndex(7)))
        #expect(position.membership == Membership(voters: founders.voters, learners: [NodeID(9)]))
        #expect(position.directory == ClusterDirectory(founders: [NodeID(9)]))
        let newer = #expect(throws: StorageError.self) {
            try AppliedPosition(decoding: Bytes(hex: "03" + hex.dropFirst(2)))
        }
        #expect(newer?.kind == .newerFormat)
    }

    @Test func `an applied record`() throws {
        let record = AppliedRecord(position: "pos")
        #expect(record.encode(group: 1).hex == "01010003000000706f7315c7bf4b")
        #expect(try AppliedRecord(decoding: record.encode(group: 1), group: 1) == record)
    }

    @Test func `the node's own records`() throws {
        let identity = Identity(
            node: NodeID(2), clusterName: "roost", founders: founders.voters, incarnation: 0x1122, isNew: false)
        let owner = "010200000000000000e60a810d2db6717822110000000000004bf8d6cf"
        #expect(OwnerRecord(identity).encode().hex == owner)
        #expect(try OwnerRecord(decoding: Bytes(hex: owner)) == OwnerRecord(identity))
        #expect(NumberRecord.encode(1, key: MetadataKey.generation).hex == "010100000000000000bfda9fcd")
        #expect(NumberRecord.encode(0x1122, key: MetadataKey.peer(NodeID(3))).hex == "01221100000000000067a08933")
        #expect(MetadataKey.peer(of: MetadataKey.peer(NodeID(3))) == NodeID(3))
        #expect(MetadataKey.peer(of: MetadataKey.generation) == nil)
    }

    @Test func `the format record`() throws {
        #expect(FormatRecord.encode().hex == "01726f6f73742d73746f7265010000000000000000000000b6319b5d")
        try FormatRecord.check(FormatRecord.encode())
    }

    @Test func `the identity file`() throws {
        let identity = Identity(
            node: NodeID(2), clusterName: "roost", founders: founders.voters, incarnation: 0x1122, isNew: false)
        let text = """
            roost-identity 1
            node 2
            cluster-id 7871b62d0d810ae6
            incarnation 0000000000001122
            founders 1,2,3
            cluster-name roost
            born 1795965704442131310
            crc32c 097928da

            """
        let content = IdentityFile.Content(identity: identity, born: 1_795_965_704_442_131_310)
        #expect(String(decoding: IdentityFile.encode(identity, born: content.born), as: UTF8.self) == text)
        #expect(try IdentityFile.decode(Array(text.utf8), path: "IDENTITY") == content)
        // Where the file system does not tell when a file was made.
        let silent = text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("born") }
        let bytes = silent.joined(separator: "\n").replacing("097928da", with: "6f06d90a")
        #expect(String(decoding: IdentityFile.encode(identity, born: nil), as: UTF8.self) == bytes)
    }
}

@Suite("Records: damage")
struct RecordDamageTests {
    static let entry = Bytes(hex: "01010000030000000000000061626321ac370a")

    /// Name, an intact record, and what reads it.
    static let records: [(String, Bytes, @Sendable (Bytes) throws -> Void)] = [
        ("entry", entry, { _ = try EntryRecord.decode($0, group: group, index: LogIndex(7)) }),
        (
            "hard state", HardStateRecord.encode(HardState(term: Term(5), vote: NodeID(2)), group: group),
            { _ = try HardStateRecord.decode($0, group: group) }
        ),
        (
            "truncation", TruncationRecord.encode(EntryID(term: Term(3), index: LogIndex(7)), group: group),
            { _ = try TruncationRecord.decode($0, group: group) }
        ),
        ("commit", CommitRecord.encode(LogIndex(9), group: group), { _ = try CommitRecord.decode($0, group: group) }),
        (
            "applied",
            AppliedRecord(
                position: AppliedPosition(id: .zero, membership: founders, directory: emptyDirectory).encode()
            ).encode(group: 1),
            { _ = try AppliedPosition(record: $0, group: group) }
        ),
        ("format", FormatRecord.encode(), { try FormatRecord.check($0) }),
        (
            "number", NumberRecord.encode(1, key: MetadataKey.generation),
            { _ = try NumberRecord.decode($0, key: MetadataKey.generation, "number") }
        ),
    ]

    @Test(arguments: records.indices) func `one flipped bit anywhere is corruption`(which: Int) throws {
        let (name, intact, read) = Self.records[which]
        try read(intact)
        for offset in 0..<intact.count {
            for bit in 0..<8 {
                let error = #expect(throws: StorageError.self, "\(name), byte \(offset), bit \(bit)") {
                    try read(intact.flipped(at: offset, bit: bit))
                }
                #expect(error?.kind == .corruption)
            }
        }
    }

    @Test(arguments: records.indices) func `a record that lost its end is corruption`(which: Int) {
        let (name, intact, read) = Self.records[which]
        for count in 0..<intact.count {
            let error = #expect(throws: StorageError.self, "\(name), \(count) bytes") {
                try read(intact.slice(0..<count))
            }
            #expect(error?.kind == .corruption)
        }
    }

    @Test(arguments: records.indices) func `a byte too many is corruption`(which: Int) {
        let (_, intact, read) = Self.records[which]
        #expect(throws: StorageError.self) { try read(Bytes(intact.array + [0])) }
    }

    @Test func `a record under another's key is corruption`() {
        let other = GroupID(2)
        #expect(throws: StorageError.self) { try EntryRecord.decode(Self.entry, group: group, index: LogIndex(8)) }
        #expect(throws: StorageError.self) { try EntryRecord.decode(Self.entry, group: other, index: LogIndex(7)) }
        #expect(throws: StorageError.self) {
            try HardStateRecord.decode(HardStateRecord.encode(HardState(term: Term(5)), group: group), group: other)
        }
        // Same fields, another family.
        #expect(throws: StorageError.self) {
            try CommitRecord.decode(NumberRecord.encode(9, key: RaftKey.hardState(group)), group: group)
        }
        #expect(throws: AppliedRecordError.damaged("wrong checksum")) {
            try AppliedRecord(decoding: AppliedRecord(position: "pos").encode(group: 1), group: 2)
        }
    }

    @Test func `an intact record of a newer version is told apart from damage`() {
        let key = RaftKey.commit(group)
        var body = ByteWriter()
        body.append(2 as UInt8)
        body.append(9 as UInt64)
        var crc = CRC32C()
        crc.update(key)
        crc.update(Bytes(body.bytes))
        body.append(crc.value)
        let record = body.take()
        let error = #expect(throws: StorageError.self) { try CommitRecord.decode(record, group: group) }
        #expect(error?.kind == .newerFormat)
    }

    /// Whatever is in it: the last four bytes are the checksum of the key and everything before.
    @Test(arguments: ["02", "0209", "ff010000030000000000000061626321ac370a"])
    func `an intact entry of a later version is told apart from damage`(hex: String) {
        let record = Self.laterEntry(Bytes(hex: hex))
        func kind(_ record: Bytes, _ index: UInt64 = 7) -> StorageError.Kind? {
            #expect(throws: StorageError.self) {
                try EntryRecord.decode(record, group: group, index: LogIndex(index))
            }?.kind
        }
        #expect(kind(record) == .newerFormat)
        #expect(kind(record, 8) == .corruption)
        for offset in 0..<record.count { #expect(kind(record.flipped(at: offset)) == .corruption) }
    }

    static func laterEntry(_ body: Bytes, index: UInt64 = 7) -> Bytes {
        var crc = CRC32C()
        crc.update(RaftKey.entry(group, LogIndex(index)))
        crc.update(body)
        return Bytes(body.array + withUnsafeBytes(of: crc.value.littleEndian) { [UInt8]($0) })
    }

    @Test func `an intact entry of an unknown kind is told apart from damage`() {
        let id = EntryID(term: Term(3), index: LogIndex(7))
        var record = ByteWriter()
        record.append(1 as UInt8)
        record.append(9 as UInt8)
        record.append(0 as UInt16)
        record.append(id.term.rawValue)
        record.append(Bytes("abc"))
        record.append(Entry.checksum(group: group, id: id, kind: 9, payload: "abc"))
        let intact = record.take()
        for (record, kind) in [(intact, StorageError.Kind.newerFormat), (intact.flipped(at: 13), .corruption)] {
            let error = #expect(throws: StorageError.self) {
                try EntryRecord.decode(record, group: group, index: id.index)
            }
            #expect(error?.kind == kind)
        }
    }

    @Test func `a state of a later format is refused, although the record that says so can be read`() throws {
        let position = AppliedPosition(id: .zero, membership: founders, directory: emptyDirectory).encode()
        let known = AppliedRecord(position: position)
        _ = try AppliedPosition(record: known.encode(group: 1), group: group)
        let later = AppliedRecord(position: position, stateFormat: AppliedRecord.knownStateFormat + 1)
        let error = #expect(throws: StorageError.self) {
            try AppliedPosition(record: later.encode(group: 1), group: group)
        }
        #expect(error?.kind == .newerFormat)
    }

    @Test(arguments: [(2, 0), (1, 1), (1, 1 << 63)] as [(UInt32, UInt64)])
    func `a newer format or an unknown feature is refused`(version: UInt32, features: UInt64) {
        let error = #expect(throws: StorageError.self) {
            try FormatRecord.check(FormatRecord.encode(version: version, features: features))
        }
        #expect(error?.kind == .newerFormat)
    }

    @Test func `an applied position never trusts its counts`() {
        var writer = ByteWriter()
        writer.append(1 as UInt8)
        writer.append(UInt64(7))
        writer.append(UInt64(3))
        writer.append(UInt32.max)
        let bytes = writer.take()
        let error = #expect(throws: StorageError.self) { try AppliedPosition(decoding: bytes) }
        #expect(error?.kind == .corruption)
    }
}
