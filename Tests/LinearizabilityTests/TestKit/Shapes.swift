import Linearizability

/// What an operation's reply means, found by asking the register about every value of a small world: slow, and without any
/// of the rules of the code under test.
struct Shapes {
    private static let world: [Register.Value?] = {
        let texts = ["", "1", "2", "11", "12", "21", "22", "111", "112", "121", "122", "211", "212", "221", "222"]
        return [nil] + texts.map { Register.Value($0) } + (-9...9).map { Register.Value(Int64($0)) }
    }()

    /// The values that the operation may have found.
    static func found(by operation: Operation) -> [Register.Value?] {
        Set(world).filter { value in
            var register = Register(value)
            let reply = register.apply(operation.call)
            return operation.reply == nil || operation.reply == reply
        }.sorted { "\(String(describing: $0))" < "\(String(describing: $1))" }
    }

    /// The values that it may have left, each different from the one it found.
    static func left(by operation: Operation) -> Set<Register.Value?> {
        guard operation.outcome != .notApplied else { return [] }
        return Set(
            found(by: operation).compactMap { value -> Register.Value?? in
                var register = Register(value)
                _ = register.apply(operation.call)
                return register.value == value ? nil : .some(register.value)
            })
    }
}
