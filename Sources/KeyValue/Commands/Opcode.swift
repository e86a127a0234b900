/// What a command does, as logged. Numbers are never used again for something else.
package enum Opcode: UInt8, Sendable, CaseIterable {
    case set = 1
    case delete = 2
    case append = 3
    case increment = 4
    case multiSet = 5
    case flushAll = 6
    case openSession = 7
    case closeSession = 8
    case once = 9
}

/// When a set takes place.
///
/// The pointer of `.ifEqual` is valid only as long as the command's bytes are.
package enum SetCondition {
    /// Always.
    case none
    /// `NX`: only if the key does not exist.
    case ifAbsent
    /// `XX`: only if the key exists.
    case ifPresent
    /// `IFEQ`: only if the key exists and its value has these bytes.
    case ifEqual(UnsafeRawBufferPointer)
}

/// The flags byte of a set: `0 0 0 0 0 | returnOld | condition (2 bits)`. Other commands have no flags yet.
enum SetFlags {
    static let conditionMask: UInt8 = 0b011
    static let ifAbsent: UInt8 = 1
    static let ifPresent: UInt8 = 2
    static let ifEqual: UInt8 = 3
    /// `GET`: answer the value from before, whether the set took place or not.
    static let returnOld: UInt8 = 0b100
    static let known = conditionMask | returnOld
}
