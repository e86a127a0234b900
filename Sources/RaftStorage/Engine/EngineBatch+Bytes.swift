import ByteCoding

extension EngineBatch {
    func put(_ key: Bytes, _ value: Bytes, in family: Family) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        key.withUnsafeBytes { key in
            value.withUnsafeBytes { put(key, head: nothing, body: $0, tail: nothing, in: family) }
        }
    }
}

extension StorageEngine {
    /// A copy of the value of `key`, nil when absent.
    func value(
        of key: Bytes, in family: Family, at moment: Moment? = nil, tier: EngineTier = .all
    ) throws(EngineError) -> Bytes? {
        try key.withUnsafeBytes { (key) throws(EngineError) in
            try read(key, in: family, at: moment, tier: tier) { $0.map { Bytes(copying: $0) } }
        }
    }
}
