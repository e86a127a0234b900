package import ByteCoding

/// The smallest thing that the consensus engine hands over to be applied, in its order.
package struct ApplyUnit: Sendable {
    /// The engine's position after this unit, opaque here; stored in the batch of the effects (`AppliedRecord`).
    package var position: Bytes
    /// The index that the versions of the values written here get; unique to the unit.
    package var index: UInt64
    /// A `Block`; `nil`: nothing to do but to move the position.
    package var payload: Bytes?

    package init(position: Bytes, index: UInt64, payload: Bytes?) {
        self.position = position
        self.index = index
        self.payload = payload
    }
}

/// Why units could not be applied. Scope: the node, always: committed entries that one replica can't apply must stop that
/// replica, and a failed store is never tried again. Nothing of the call was settled; what is on disk is what the applied
/// record there says.
package enum ApplyError: Error, Hashable, Sendable, CustomStringConvertible {
    case payload(index: UInt64, FormatError)
    case storedValue(ValueFormatError)
    case store(StateStoreError)

    package var description: String {
        switch self {
        case .payload(let index, let error): "entry \(index) can't be applied: \(error)"
        case .storedValue(let error): "the state can't be read: \(error)"
        case .store(let error): "the state can't be read or written: \(error)"
        }
    }
}
