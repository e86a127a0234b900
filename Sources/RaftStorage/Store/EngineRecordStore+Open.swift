import ByteCoding
import Raft

extension EngineRecordStore {
    private static var firstGeneration: UInt64 { 1 }

    /// Checks an engine's format and owner, making what a new one needs, and removes what an unfinished snapshot left.
    ///
    /// Making can stop anywhere and be taken up again: families first, then all first records as one, and the directory
    /// counts as initialized only after that.
    ///
    /// - Throws: `.corruption`, `.newerFormat`, `.wrongIdentity` when the engine belongs to another identity.
    static func open(_ engine: Engine, _ identity: Identity) throws(StorageError) -> EngineRecordStore {
        let root = try family(.root, of: engine, isNew: identity.isNew)
        let raft = try family(.raft, of: engine, isNew: identity.isNew)
        let meta = try family(.meta, of: engine, isNew: identity.isNew)
        if !engine.familyNames.contains(where: { $0.generation != nil }) {
            _ = try family(.state(firstGeneration), of: engine, isNew: identity.isNew)
        }
        try establishFormat(of: engine, root: root, meta: meta, identity)
        let generation = try checkOwner(engine, meta, identity)
        guard let state = engine.family(.state(generation)) else { throw missing(.state(generation)) }
        try dropOrphans(of: engine, beside: generation)
        return EngineRecordStore(engine, raft: raft, meta: meta, state: state, generation: generation)
    }

    /// The same for an engine that was completed once and must not change: nothing is made, nothing removed.
    ///
    /// - Throws: as `open`.
    static func look(
        at engine: Engine, _ identity: Identity
    ) throws(StorageError) -> (store: EngineRecordStore, generation: UInt64) {
        var identity = identity
        identity.isNew = false
        let root = try family(.root, of: engine, isNew: false)
        let raft = try family(.raft, of: engine, isNew: false)
        let meta = try family(.meta, of: engine, isNew: false)
        try establishFormat(of: engine, root: root, meta: meta, identity)
        let generation = try checkOwner(engine, meta, identity)
        guard let state = engine.family(.state(generation)) else { throw missing(.state(generation)) }
        return (EngineRecordStore(engine, raft: raft, meta: meta, state: state, generation: generation), generation)
    }

    private static func family(
        _ name: FamilyName, of engine: Engine, isNew: Bool
    ) throws(StorageError) -> Engine.Family {
        if let family = engine.family(name) { return family }
        guard isNew else { throw missing(name) }
        return try storage("make the family \(name)") { () throws(EngineError) in try engine.create(name) }
    }

    private static func missing(_ name: FamilyName) -> StorageError {
        StorageError(.corruption, "the family \(name) of the database is missing")
    }

    private static func establishFormat(
        of engine: Engine, root: Engine.Family, meta: Engine.Family, _ identity: Identity
    ) throws(StorageError) {
        let found = try storage("read the format") { () throws(EngineError) in
            try engine.value(of: FormatRecord.key, in: root)
        }
        if let found { return try FormatRecord.check(found) }
        guard identity.isNew else { throw StorageError(.corruption, "the database has no format record") }
        let suspect = identity.isBornSuspect ? Suspicion.newFounder : Suspicion.none
        Failpoint.foundBeforeRecords.reach()
        try storage("write the first records") { () throws(EngineError) in
            let batch = engine.makeBatch()
            batch.put(FormatRecord.key, FormatRecord.encode(), in: root)
            batch.put(MetadataKey.owner, OwnerRecord(identity).encode(), in: meta)
            batch.put(
                MetadataKey.generation, NumberRecord.encode(firstGeneration, key: MetadataKey.generation), in: meta)
            batch.put(MetadataKey.suspect, NumberRecord.encode(suspect, key: MetadataKey.suspect), in: meta)
            try engine.writeRare(batch, to: [root, meta])
        }
    }

    /// The state's generation of a database that is this identity's.
    private static func checkOwner(
        _ engine: Engine, _ meta: Engine.Family, _ identity: Identity
    ) throws(StorageError) -> UInt64 {
        func read(_ key: Bytes) throws(StorageError) -> Bytes? {
            try storage("read metadata") { () throws(EngineError) in try engine.value(of: key, in: meta) }
        }
        guard let owner = try read(MetadataKey.owner), let generation = try read(MetadataKey.generation) else {
            throw StorageError(.corruption, "the database has lost its metadata")
        }
        let found = try OwnerRecord(decoding: owner)
        guard found == OwnerRecord(identity) else {
            throw StorageError(
                .wrongIdentity,
                "the database was made by node \(found.node), incarnation \(found.incarnation.hex), "
                    + "not by node \(identity.node), incarnation \(identity.incarnation.hex)")
        }
        return try NumberRecord.decode(generation, key: MetadataKey.generation, "state generation")
    }

    /// Left behind by a snapshot that was not installed to the end, or by the state before one that was.
    private static func dropOrphans(of engine: Engine, beside generation: UInt64) throws(StorageError) {
        for name in engine.familyNames {
            guard let found = name.generation, found != generation, let orphan = engine.family(name) else { continue }
            Failpoint.recoverBeforeOrphan.reach()
            try storage("drop \(name)") { () throws(EngineError) in try engine.drop(orphan) }
            engine.release(orphan)
        }
    }
}
