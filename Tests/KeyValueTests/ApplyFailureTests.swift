import ByteCoding
import KeyValue
import Testing

@Suite("Applying units: failures stop the node and show nothing")
struct ApplyFailureTests {
    @Test func `a store that can't be read`() throws {
        let replica = Replica(SpyStore())
        let failure = StateStoreError(.io, "bad sector")
        replica.store.failReads(failure)
        #expect(throws: ApplyError.store(failure)) { try replica.apply([unit(1, ["SET a 1", "SET b 1 NX"])]) }
        #expect(replica.store.seen.commits == 0)
        #expect(try replica.dump().isEmpty)
    }

    @Test func `a store that can't be written settles nobody`() throws {
        let replica = Replica(SpyStore())
        let failure = StateStoreError(.noSpace, "full")
        replica.store.failCommits(failure)
        var settled = 0
        #expect(throws: ApplyError.store(failure)) {
            try replica.machine.apply([unit(1, ["SET a 1"])], settlingFor: 1, incarnation: 77) { _, _ in settled += 1 }
        }
        #expect(settled == 0)
    }

    @Test func `a block of a newer version stops the node before anything of the call is visible`() throws {
        let replica = Replica(SpyStore())
        let newer = ApplyUnit(position: "at 2", index: 2, payload: unhex("02 0000000000000000"))
        let error = FormatError.newerBlock(version: 2)
        #expect(throws: ApplyError.payload(index: 2, error)) { try replica.apply([unit(1, ["SET a 1"]), newer]) }
        #expect(try replica.dump().isEmpty)
        #expect(error.description.contains("upgrade"))
    }

    @Test(
        arguments: [
            ("2000000000000000000000000078", ValueFormatError.newerVersion(2)),
            ("0000000000000000000000000078", .unknownVersion(0)),
            ("1200000000000000000000000078", .unknownFlags(2)),
            ("10000000000000000000000000", nil),
            ("100000000000000000000000", .tooShort(bytes: 12)),
            ("1100000000000000000000000000000000000000", .tooShort(bytes: 20)),
            ("", .tooShort(bytes: 0)),
        ] as [(String, ValueFormatError?)])
    func `a stored value that can't be read stops a command that needs it, and no blind write`(
        _ stored: String, _ error: ValueFormatError?
    ) throws {
        let replica = Replica(MemoryStateStore())
        let batch = replica.store.makeBatch()
        StateKey.user("a", group: 7).withUnsafeBytes { key in
            let header = UnsafeRawBufferPointer(start: nil, count: 0)
            unhex(stored).withUnsafeBytes { batch.put(key, header: header, value: $0) }
        }
        try replica.store.commit(batch)
        if let error {
            let machine = KeyValueMachine(store: replica.store, group: 7)
            #expect(throws: ApplyError.storedValue(error)) {
                try machine.apply([unit(1, ["APPEND a x"])], settlingFor: 1, incarnation: 77) { _, _ in }
            }
            #expect(throws: StateStoreError(.corruption, error.description)) {
                try ReadCommand.get("a").run(on: replica.store, group: 7, tier: .all)
            }
        } else {
            #expect(try ReadCommand.get("a").run(on: replica.store, group: 7, tier: .all) == .value(""))
        }
        #expect(try replica.applyOneByOne(["SET a 1"]) == [.ok])
        #expect(try replica.values() == ["a": "1"])
    }

    @Test func `a machine that has failed is not used again`() async {
        await #expect(processExitsWith: .failure) {
            let replica = Replica(SpyStore())
            replica.store.failCommits(StateStoreError(.io, "bad sector"))
            _ = try? replica.apply([unit(1, ["SET a 1"])])
            _ = try? replica.apply([unit(2, ["SET a 1"])])
        }
    }
}
